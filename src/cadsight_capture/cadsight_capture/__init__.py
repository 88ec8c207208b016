"""Move, settle, picture, label, write: sessions of images that label themselves."""
