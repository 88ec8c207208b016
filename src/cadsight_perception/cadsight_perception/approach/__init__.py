"""From a detection to a pose that the tool can go to: point of interest, normal, stand-off. Knows no ROS."""
