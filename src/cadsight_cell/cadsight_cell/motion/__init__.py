"""Planned motions that hit nothing."""
