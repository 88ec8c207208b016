"""Readers and files that are nearly right: which of them make a reader fall."""
