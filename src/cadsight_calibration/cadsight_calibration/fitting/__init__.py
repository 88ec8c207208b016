"""The fit of camera and board over all corners of all views, and where it begins."""
