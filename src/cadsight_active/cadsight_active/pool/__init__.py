"""What the camera saw and the model should learn from, kept on the disk so that a kill loses nothing."""
