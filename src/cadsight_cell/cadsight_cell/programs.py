"""The programs of this package, for its console scripts."""

from cadsight_ros.node.entry import program

hand_eye = program("cadsight_cell.hand_eye_node")
motion = program("cadsight_cell.motion_node")
simulated_cell = program("cadsight_cell.simulated_cell_node")
