"""Figures of predictions beside the truth, with their intervals."""
