"""Intrinsics of a camera from images of a board, and the files that hold them."""
