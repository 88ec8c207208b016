"""What a run came to: one self-contained page and one JSON file; knows no ROS."""
