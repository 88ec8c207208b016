"""The programs of this package, for its console scripts."""

from cadsight_ros.node.entry import program

capture = program("cadsight_capture.capture_node")
labelling = program("cadsight_capture.labelling_node")
