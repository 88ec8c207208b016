"""The comparisons of the papers, at several scales."""
