"""The networks of translators."""
