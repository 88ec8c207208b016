"""Recorded sets of images and arm poses, ours and those of others."""
