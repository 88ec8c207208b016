"""Motions and bodies as messages."""
