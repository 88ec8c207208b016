"""The main job, step by step: capture, label, write, train, look, report."""
