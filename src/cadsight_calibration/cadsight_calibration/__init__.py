"""Boards, intrinsics of a camera, and where the camera is on or beside the arm; nothing here knows ROS."""
