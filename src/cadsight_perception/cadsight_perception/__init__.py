"""Looks at the live camera with trained models, live or from a bag."""
