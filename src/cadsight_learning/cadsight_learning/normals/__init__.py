"""Regressors of the surface normal: crops, networks, losses, and their confidence."""
