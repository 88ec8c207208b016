"""The programs of this package, for its console scripts."""

from cadsight_ros.node.entry import program

loop = program("cadsight_loop.loop_node")
