"""Kinds of mesh files, a module each, and what several of them need."""
