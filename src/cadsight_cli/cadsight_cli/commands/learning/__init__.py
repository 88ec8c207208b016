"""Commands of models: what they learn from, and how good they are."""
