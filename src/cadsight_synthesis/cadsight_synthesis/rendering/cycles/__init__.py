"""Cycles, run by Blender as a program of its own."""
