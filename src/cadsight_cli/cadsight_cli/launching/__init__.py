"""Starts our XML launch files where ROS's own `launch` is not installed.

The files are written for `ros2 launch`; this reads the tags and substitutions that they use, with the same meaning, and
refuses any other by name.
"""
