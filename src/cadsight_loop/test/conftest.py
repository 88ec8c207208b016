"""ROS in a domain of the test's own."""

from cadsight_ros.testing import ros

__all__ = ["ros"]
