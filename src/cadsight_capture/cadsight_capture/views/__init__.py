"""Poses from which the camera sees the part."""
