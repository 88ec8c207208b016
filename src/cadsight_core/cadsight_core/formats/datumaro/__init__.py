"""Formats that datumaro reads for us, in an environment of its own."""
