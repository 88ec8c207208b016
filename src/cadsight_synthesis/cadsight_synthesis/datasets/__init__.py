"""Whole sets of images: rendered, composed or changed copies, and what is checked in them."""
