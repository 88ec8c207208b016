"""Whole data sets of ours: what they hold, which of it is taken, and how it is split."""
