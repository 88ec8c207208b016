"""Data sets as others write them, read into samples and written from samples."""

from cadsight_core.formats.anything import Reading, find, load, read
from cadsight_core.formats.reading.finding import Found, Loaded

__all__ = ["Found", "Loaded", "Reading", "find", "load", "read"]
