"""The interface of the arm's driver in ROS: as the simulated cell offers it, and as the motion node hears it."""
