"""Pictures made from pictures and CAD, with labels that follow."""
