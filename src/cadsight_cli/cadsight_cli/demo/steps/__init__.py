"""What each step of the demo does."""
