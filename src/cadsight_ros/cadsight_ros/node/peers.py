"""Who else is in the ROS domain: two cells in one would mix their arms' joint states and share each other's goals.

Discovery is a state that changes while a node runs, so it is read anew each time. What was killed is seen until
the middleware gives it up, which takes some seconds.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from cadsight_core.errors import CadsightError
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from cadsight_ros.node.stopping import unless_stopped

_PERIOD_S = 1.0
_WAY_OUT = "stop the other, or give it another ROS_DOMAIN_ID"


def publishers(node: Node, topic: str) -> list[str]:
    """The full names of the nodes that publish ``topic``, sorted, one for each publisher."""
    return sorted(map(full_name, node.get_publishers_info_by_topic(node.resolve_topic_name(topic))))


def full_name(info: Any) -> str:
    """The node of an endpoint (rclpy's ``TopicEndpointInfo``), with its namespace."""
    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"


def servers(node: Node, action: str) -> list[str]:
    """The full names of the nodes that serve ``action``, sorted, one for each server."""
    # Each server publishes its goals' states; unlike the graph of services this also tells nodes of one name apart.
    return publishers(node, f"{node.resolve_topic_name(action)}/_action/status")


class Peers:
    """Watches that nobody else does what ``node`` does, and that what it relies on is done by one node only.

    What is wrong is logged at the start, and again whenever it changes.

    Args:
        publishes: topics that ``node`` alone should publish, with one publisher of its own each.
        serves: actions that ``node`` alone should serve.
        reads: topics that one node at most should publish.
        calls: actions that one node at most should serve.
    """

    def __init__(
        self,
        node: Node,
        *,
        publishes: Sequence[str] = (),
        serves: Sequence[str] = (),
        reads: Sequence[str] = (),
        calls: Sequence[str] = (),
    ) -> None:
        self._node = node
        self._publishes, self._serves, self._reads, self._calls = publishes, serves, reads, calls
        self._reported: list[str] = []
        self._timer = node.create_timer(_PERIOD_S, self._watch, callback_group=MutuallyExclusiveCallbackGroup())

    def check(self) -> None:
        """Refuse to go on while another node is in the way.

        Raises:
            CadsightError: naming the topic or action and the nodes.
        """
        for sentence in self._wrong():
            raise CadsightError(sentence)

    def _watch(self) -> None:
        with unless_stopped(self._node):
            wrong = list(self._wrong())
            for sentence in wrong:
                if sentence not in self._reported:
                    self._node.get_logger().error(sentence)
            self._reported = wrong

    def _wrong(self) -> Iterator[str]:
        own = self._node.get_fully_qualified_name()
        for names, nodes_of, word in (
            (self._publishes, publishers, "published"),
            (self._serves, servers, "served"),
        ):
            for name in names:
                others = nodes_of(self._node, name)
                if own in others:
                    others.remove(own)
                if others:
                    name = self._node.resolve_topic_name(name)
                    yield f"{name} is {word} by {', '.join(others)} too, expected this node alone: {_WAY_OUT}"
        for names, nodes_of, word in (
            (self._reads, publishers, "published"),
            (self._calls, servers, "served"),
        ):
            for name in names:
                those = nodes_of(self._node, name)
                if len(those) > 1:
                    yield (
                        f"{self._node.resolve_topic_name(name)} is {word} {len(those)} times, by {', '.join(those)}, "
                        f"expected one node: {_WAY_OUT}"
                    )
