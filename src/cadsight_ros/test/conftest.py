from cadsight_ros.testing import node, ros

__all__ = ["node", "ros"]
