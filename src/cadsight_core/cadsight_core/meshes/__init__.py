"""Readers of CAD and mesh files, one module a kind, and what makes a usable surface of what they read.

A new kind is a module with a function from a file to a :class:`~cadsight_core.meshes.triangles.Triangles`, registered
by its suffixes in :mod:`cadsight_core.meshes.reading`.
"""
