"""Several models, runs and experiments on one page."""
