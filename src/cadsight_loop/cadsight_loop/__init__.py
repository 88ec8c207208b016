"""Learns while the cell runs: the pool, its alarms and the cycles that mend the model."""

import cadsight_core  # noqa: F401  how threads wait is set before any module here loads torch or NumPy
