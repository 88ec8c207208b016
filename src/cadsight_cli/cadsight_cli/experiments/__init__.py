"""The papers' experiments, each a list of trainings that one comparison judges."""
