"""Evaluates models on labelled images that they did not learn from."""
