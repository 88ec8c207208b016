"""Detector, normal regressor, their training and evaluation; knows no ROS."""

import cadsight_core  # noqa: F401  how threads wait is set before any module here loads torch or NumPy
