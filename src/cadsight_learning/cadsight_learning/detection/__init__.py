"""Detectors of parts: boxes and masks."""
