"""A node's own account of itself on /diagnostics (REP 107)."""

from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

OK, WARN, ERROR, STALE = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR, DiagnosticStatus.STALE


def make_status(node: Node, level: bytes, message: str, values: Mapping[str, object]) -> DiagnosticStatus:
    """A status named after the node; floats are given with three decimals."""
    return DiagnosticStatus(
        level=level,
        name=node.get_fully_qualified_name().lstrip("/"),
        message=message,
        values=[
            KeyValue(key=key, value=f"{value:.3f}" if isinstance(value, float) else str(value))
            for key, value in values.items()
        ],
    )


class Diagnostics:
    """Publishes what ``status`` returns, at a steady rate."""

    def __init__(self, node: Node, status: Callable[[], DiagnosticStatus], period_s: float = 1.0) -> None:
        self._node, self._status = node, status
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._timer = node.create_timer(period_s, self.publish, callback_group=MutuallyExclusiveCallbackGroup())

    def publish(self) -> None:
        message = DiagnosticArray(status=[self._status()])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
