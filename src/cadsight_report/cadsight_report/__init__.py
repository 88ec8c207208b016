"""The report of a run: one self-contained page and one JSON file; knows no ROS."""
