"""Label Studio's full JSON, of rectangles."""
