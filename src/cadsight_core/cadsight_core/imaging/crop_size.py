"""The side of a crop, apart from what cuts them, for options that are read before anything heavy is imported."""

CROP_SIZE = 224  # pixels
