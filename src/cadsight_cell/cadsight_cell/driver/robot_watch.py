"""Listens to what the arm's driver says of the arm: its modes, its program, its speed, and who else moves it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from action_msgs.msg import GoalStatus, GoalStatusArray
from cadsight_ros.convert.qos import LATCHED
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import qos_profile_action_status_default
from std_msgs.msg import Bool, Float64
from ur_dashboard_msgs.msg import RobotMode, SafetyMode

from cadsight_cell.driver import names
from cadsight_cell.motion.readiness import ArmStatus

_BUSY = (GoalStatus.STATUS_ACCEPTED, GoalStatus.STATUS_EXECUTING, GoalStatus.STATUS_CANCELING)


class RobotWatch:
    """The driver's topics, for a motion node. A driver without them is said once, and the arm taken for ready."""

    def __init__(self, node: Node, action: str, changed: Callable[[], None]) -> None:
        """``action`` is the controller's; ``changed`` is called with no lock held after each message."""
        self._node, self._changed = node, changed
        self._lock = threading.Lock()
        self.status = ArmStatus()
        self._goals: list[tuple[bytes, int]] = []
        self._told: set[str] = set()
        self._topics = {
            "mode": names.ROBOT_MODE,
            "safety": names.SAFETY_MODE,
            "program_running": names.ROBOT_PROGRAM_RUNNING,
            "speed": names.SPEED_SCALING,
        }
        group = MutuallyExclusiveCallbackGroup()
        for kind, field, qos, value in (
            (RobotMode, "mode", LATCHED, lambda m: int(m.mode)),
            (SafetyMode, "safety", LATCHED, lambda m: int(m.mode)),
            (Bool, "program_running", LATCHED, lambda m: bool(m.data)),
            (Float64, "speed", 10, lambda m: m.data / 100),
        ):
            node.create_subscription(kind, self._topics[field], self._taker(field, value), qos, callback_group=group)
        status = f"{node.resolve_topic_name(action)}/_action/status"
        node.create_subscription(
            GoalStatusArray, status, self._on_goals, qos_profile_action_status_default, callback_group=group
        )

    def waits_for(self) -> list[str]:
        """Topics that somebody publishes and nothing has come on yet; those that nobody publishes are told once."""
        waiting = []
        for field, topic in self._topics.items():
            if getattr(self.status, field) is not None:
                continue
            if self._node.count_publishers(topic):
                waiting.append(topic)
            elif topic not in self._told:
                self._told.add(topic)
                self._node.get_logger().warning(
                    f"nobody publishes {topic}, expected the arm's driver to: the arm is moved without knowing it"
                )
        return waiting

    def foreign_goals(self, ours: Callable[[bytes], bool]) -> int:
        """How many goals of other clients the controller follows now."""
        with self._lock:
            return sum(status in _BUSY and not ours(identity) for identity, status in self._goals)

    def _taker(self, field: str, value: Callable[[Any], Any]) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            with self._lock:
                self.status = replace(self.status, **{field: value(message)})
            self._changed()

        return take

    def _on_goals(self, message: GoalStatusArray) -> None:
        goals = [(bytes(s.goal_info.goal_id.uuid), int(s.status)) for s in message.status_list]
        with self._lock:
            self._goals = goals
        self._changed()
