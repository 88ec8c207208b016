"""Robot and camera: simulated ones, and the clients of the real ones."""
