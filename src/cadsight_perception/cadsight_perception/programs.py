"""The programs of this package, for its console scripts."""

from cadsight_ros.node.entry import program

perception = program("cadsight_perception.perception_node")
replay = program("cadsight_perception.replay_node")
