"""The programs of this package, for its console scripts."""

from cadsight_ros.node.entry import program

camera = program("cadsight_camera.camera_node")
view = program("cadsight_camera.view_node")
