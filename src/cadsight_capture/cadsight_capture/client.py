"""Capture sessions from a program: a goal for the capture node, its feedback, and its end."""

from collections.abc import Callable
from pathlib import Path

from action_msgs.msg import GoalStatus
from cadsight_core.errors import CadsightError
from cadsight_ros.clients import ActionClient, RefusedError, UnansweredError, spinning
from rclpy.node import Node

from cadsight_capture.session import SessionPlan
from cadsight_interfaces.action import CaptureSession

# A paused session may stand still for long; a node that is gone is noticed by its server's absence.
_NO_END_S = 7 * 24 * 3600.0


def capture_session(
    node: Node,
    folder: str | Path,
    plan: SessionPlan,
    report: Callable[[CaptureSession.Feedback], None] = lambda feedback: None,
    *,
    server: str = "/cadsight/capture/capture_session",
    start_timeout_s: float = 10.0,
) -> CaptureSession.Result:
    """Capture or continue one session; ``folder`` is relative to the capture node's output_folder.

    Ctrl-C (KeyboardInterrupt) stops the session cleanly before it is raised again.

    Raises:
        CadsightError: when no capture node is there, or the session ended before it was done.
    """
    client: ActionClient[CaptureSession.Goal, CaptureSession.Result] = ActionClient(
        node, CaptureSession, server, accept_timeout_s=start_timeout_s
    )
    goal = CaptureSession.Goal(
        folder=str(folder), session=plan.session, split=plan.split, count=plan.count, seed=plan.seed
    )
    with spinning(node):
        try:
            running = client.send(goal, report)
        except (UnansweredError, RefusedError) as error:
            raise CadsightError(f"{error}: start the capture node, such as by cadsight launch workcell") from error
        try:
            answer = running.wait(_NO_END_S, until=lambda: not client.is_there)
        except KeyboardInterrupt:
            running.cancel(timeout_s=30.0)
            raise
    if answer is None:
        raise CadsightError(f"the capture node went away: run the same command again to continue {folder}")
    status, result = answer
    if status != GoalStatus.STATUS_SUCCEEDED or not result.success:
        raise CadsightError(f"the session {plan.session} ended with {result.captured} pictures: {result.message}")
    return result
