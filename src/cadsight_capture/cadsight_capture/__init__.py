"""Move, settle, take an image, label, write: sessions of images that label themselves."""

import cadsight_core  # noqa: F401  how threads wait is set before any module here loads torch or NumPy
