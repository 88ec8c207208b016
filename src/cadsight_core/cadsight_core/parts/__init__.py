"""A part: its file, mesh, symmetry, outline and point of interest."""
