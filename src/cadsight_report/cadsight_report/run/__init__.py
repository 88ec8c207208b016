"""Pieces of a run's report."""
