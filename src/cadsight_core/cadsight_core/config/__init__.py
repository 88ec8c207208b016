"""Parameter dataclasses, and the YAML that they are read from."""
