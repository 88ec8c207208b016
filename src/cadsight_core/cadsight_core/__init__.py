"""The vocabulary of CADsight; knows neither ROS nor torch."""

from cadsight_core.running.threads import sleep_while_waiting

# Here, for whatever the process (command line, node, worker of another machine, a user's own script), this is the one
# module of ours that each of them loads, and the settings have to be there before torch, NumPy and OpenCV are.
sleep_while_waiting()
