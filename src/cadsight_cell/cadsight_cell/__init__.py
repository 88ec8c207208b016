"""Robot and camera: simulated ones, and the clients of the real ones."""

import cadsight_core  # noqa: F401  how threads wait is set before any module here loads torch or NumPy
