"""The hand-eye calibration: solved, checked on poses left out, and what is wrong in a set."""
