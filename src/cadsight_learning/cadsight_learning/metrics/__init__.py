"""Figures of predictions against the truth, with their intervals."""
