"""Asks the motion node for joint angles and motions, from a program."""

from collections.abc import Callable
from typing import Any, TypeAlias

from action_msgs.msg import GoalStatus
from cadsight_core.errors import CadsightError
from cadsight_ros.clients import ActionClient, RefusedError, ServiceClient, UnansweredError
from cadsight_ros.node.peers import publishers
from geometry_msgs.msg import Pose
from rclpy.node import Node

from cadsight_interfaces.action import MoveToJoints
from cadsight_interfaces.srv import FindJoints

Report: TypeAlias = Callable[[float], object]
MOTION = "/cadsight/motion"
SIMULATED = "/simulated_cell"
# Longest wait for the motion node to take the cancelling of a motion that is broken off.
_CANCEL_S = 5.0


class NoJointsError(CadsightError):
    """A pose without joint angles; ``reason`` is FindJoints' word for it."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class NotMovedError(CadsightError):
    """A motion that did not come about; ``reason`` is MoveToJoints' word for it."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class MotionClient:
    """The motion node as a program sees it; ``node`` is spun elsewhere."""

    def __init__(self, node: Node, timeout_s: float = 10.0) -> None:
        """``timeout_s``: how long to wait for the motion node to be there, and to find joint angles."""
        self._node = node
        self._find: ServiceClient[FindJoints.Request, FindJoints.Response] = ServiceClient(
            node, FindJoints, f"{MOTION}/find_joints", timeout_s=timeout_s
        )
        self._move: ActionClient[MoveToJoints.Goal, MoveToJoints.Result] = ActionClient(
            node, MoveToJoints, f"{MOTION}/move_to_joints", accept_timeout_s=timeout_s
        )

    @property
    def is_simulated(self) -> bool:
        """Whether the simulated cell alone says where the arm is."""
        return publishers(self._node, "/joint_states") == [SIMULATED]

    def find(self, pose: Pose) -> dict[str, float]:
        """Radians by joint at which tool0 is at ``pose`` of base_link, turned about its z as is convenient.

        Raises:
            NoJointsError: when the arm does not reach it, touches something there, or is not ready.
            CadsightError: when no motion node is there.
        """
        try:
            answer = self._find.call(FindJoints.Request(pose=pose, free_turn=True))
        except UnansweredError as error:
            raise CadsightError(f"{error}: start the motion node, such as by cadsight launch cell") from error
        if not answer.success:
            raise NoJointsError(answer.reason, answer.message)
        return dict(zip(answer.joint_names, answer.positions, strict=True))

    def move(
        self,
        joints: dict[str, float],
        velocity_scaling: float,
        report: Callable[[float], object] = lambda fraction: None,
    ) -> str:
        """Move there and return the node's sentence; broken off, as by Ctrl-C, the arm is stopped before the exception
        goes on.

        Args:
            report: is called with the fraction of the motion that is done.

        Raises:
            NotMovedError: when the motion is refused or does not arrive.
            CadsightError: when no motion node is there, or it goes away.
        """
        goal = MoveToJoints.Goal(
            joint_names=list(joints), positions=list(joints.values()), velocity_scaling=velocity_scaling
        )

        def on_feedback(feedback: Any) -> None:
            report(feedback.progress)

        try:
            running = self._move.send(goal, on_feedback)
        except (UnansweredError, RefusedError) as error:
            raise CadsightError(f"{error}: start the motion node, such as by cadsight launch cell") from error
        try:
            answer = running.wait()
        except BaseException:
            running.ask_to_end()
            stopped = running.wait_for_cancel(_CANCEL_S)
            log = self._node.get_logger()
            if stopped:
                log.info("the arm was stopped")
            else:
                log.error(
                    f"the arm may still be moving: the motion node did not answer for {_CANCEL_S:g} s, expected it to "
                    "take the cancelling of the motion"
                )
            raise
        assert answer is not None
        status, result = answer
        if status != GoalStatus.STATUS_SUCCEEDED or not result.success:
            raise NotMovedError(result.reason, result.message or "the motion node gave no reason")
        return str(result.message)
