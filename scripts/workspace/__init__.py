"""Sets the workspace up: Python packages, ROS 2, our own packages. Needs nothing but Python's standard library."""
