"""Data sets as others write them, read into samples and written from samples."""

from cadsight_core.formats.anything import Loaded, load, read

__all__ = ["Loaded", "load", "read"]
