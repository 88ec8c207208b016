"""Detector, normal regressor, their training and evaluation; knows no ROS."""
