"""The states of a perception node, as in its status."""

from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticStatus

INACTIVE, LOADING, EXPORTING, INFERRING, FAILED = "inactive", "loading", "exporting", "looking", "failed"
# In these states each new sentence is progress.
BUSY = (LOADING, EXPORTING)


@dataclass(frozen=True)
class NodeStatus:
    """One status of a node.

    Attributes:
        state: one of the words of this module.
        sentence: what it does, or why it failed.
    """

    node: str
    state: str
    sentence: str


def node_status(status: DiagnosticStatus) -> NodeStatus | None:
    """The state in a node's status; None for a status without one, of other nodes."""
    values = {pair.key: pair.value for pair in status.values}
    state = values.get("state")
    return NodeStatus(f"/{status.name}", state, values.get("doing") or status.message) if state else None
