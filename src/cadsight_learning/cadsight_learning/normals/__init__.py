"""Regressors of the surface normal: crops, networks, losses, and how sure they are."""
