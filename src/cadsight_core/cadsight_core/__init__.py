"""The vocabulary of CADsight; knows neither ROS nor torch."""
