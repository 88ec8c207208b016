"""Compares trainings on several sets, and measures the synthetic gap."""
