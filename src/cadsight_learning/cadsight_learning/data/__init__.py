"""Labelled images on their way into a network: loaded, split, framed, changed."""
