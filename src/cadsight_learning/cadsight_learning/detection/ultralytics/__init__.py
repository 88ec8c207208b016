"""Detectors whose networks are of ultralytics."""
