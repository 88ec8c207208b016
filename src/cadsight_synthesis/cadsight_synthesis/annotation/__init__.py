"""Contours of masks for VIA."""
