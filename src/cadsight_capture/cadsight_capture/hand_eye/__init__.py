"""The correction of where the camera and the part hang."""
