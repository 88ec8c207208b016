"""Calibration boards: how they are described, found in images, and drawn to scale."""
