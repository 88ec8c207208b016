"""Whether the client of a running goal is still there."""

from rclpy.node import Node


class ClientWatch:
    """Notices that nobody who could have sent a goal of an action of ``node`` is left.

    ROS does not tell which client sent a goal, but every client listens to the action's feedback. The middleware
    takes a client that was killed for gone after its lease (10 s by config/fastdds.xml, else 20 s).
    """

    def __init__(self, node: Node, action: str) -> None:
        """``action`` is the action's name below the node's own."""
        self._node = node
        self._topic = f"{node.get_fully_qualified_name()}/{action}/_action/feedback"
        self._seen = False

    def begin(self) -> None:
        """A goal has come; its client may be seen only a little later."""
        self._seen = False

    def gone(self) -> bool:
        """Whether clients were there since the goal came, and none is now."""
        there = self._node.count_subscribers(self._topic) > 0
        self._seen = self._seen or there
        return self._seen and not there
