"""VIA's JSON and CSV."""
