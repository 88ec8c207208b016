"""Runs trained models on the camera, live or from a bag."""

import cadsight_core  # noqa: F401  how threads wait is set before any module here loads torch or NumPy
