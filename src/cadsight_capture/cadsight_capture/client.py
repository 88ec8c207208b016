"""Capture sessions from a program: a goal for the capture node, its feedback, and its end."""

from collections.abc import Callable
from pathlib import Path

from action_msgs.msg import GoalStatus
from cadsight_core.errors import CadsightError
from cadsight_ros.clients import ActionClient, RefusedError, RunningGoal, UnansweredError
from rclpy.node import Node

from cadsight_capture.session import SessionPlan
from cadsight_interfaces.action import CaptureSession

SERVER = "/cadsight/capture/capture_session"
Report = Callable[[CaptureSession.Feedback], None]
# Longest wait for the node's answer when a session is broken off.
_CANCEL_S = 1.0


class CaptureClient:
    """Asks a capture node for sessions; ``node`` is spun elsewhere.

    Args:
        start_timeout_s: how long to wait for the capture node to be there.
        gone: whether the capture node has gone away, asked while a session runs; it may raise a sentence of its own.
            By default ROS is asked whether its action is there.
    """

    def __init__(
        self,
        node: Node,
        *,
        server: str = SERVER,
        start_timeout_s: float = 10.0,
        gone: Callable[[], bool] | None = None,
    ) -> None:
        self.node = node
        self._client: ActionClient[CaptureSession.Goal, CaptureSession.Result] = ActionClient(
            node, CaptureSession, server, accept_timeout_s=start_timeout_s
        )
        self._gone = (lambda: not self._client.is_there) if gone is None else gone

    def start(
        self, folder: str | Path, plan: SessionPlan, report: Report = lambda feedback: None
    ) -> RunningGoal[CaptureSession.Result]:
        """Begin a session or go on with the one that is there; ``folder`` is relative to the node's output_folder.

        Raises:
            CadsightError: when no capture node is there.
        """
        goal = CaptureSession.Goal(
            folder=str(folder), session=plan.session, split=plan.split, count=plan.count, seed=plan.seed
        )
        try:
            return self._client.send(goal, report)
        except (UnansweredError, RefusedError) as error:
            raise CadsightError(f"{error}: start the capture node, such as by cadsight launch workcell") from error

    def capture(
        self, folder: str | Path, plan: SessionPlan, report: Report = lambda feedback: None
    ) -> CaptureSession.Result:
        """Take a whole session; broken off, as by Ctrl-C, the node is asked to stop before the exception goes on.

        Raises:
            CadsightError: when no capture node is there or it goes away, or with the node's own reason when it
                refused or gave up the session.
        """
        running = self.start(folder, plan, report)
        try:
            # A paused session may stand still for long; a node that is gone is noticed by its absence.
            answer = running.wait(until=self._gone)
        except BaseException:
            running.ask_to_end()
            stopped = running.wait_for_cancel(_CANCEL_S)
            log = self.node.get_logger()
            if stopped:
                log.info(f"the session {plan.session} was stopped")
            else:
                log.error(
                    f"the arm may still be moving: the capture node did not answer for {_CANCEL_S:g} s, expected it "
                    f"to take the cancelling of the session {plan.session}"
                )
            raise
        if answer is None:
            raise CadsightError(f"the capture node went away: run the same command again to continue {folder}")
        status, result = answer
        if status != GoalStatus.STATUS_SUCCEEDED or not result.success:
            reason = result.message or "the capture node gave no reason"
            how = f"ended with {result.captured} of {plan.count} images" if result.captured else "was not captured"
            raise CadsightError(f"the session {plan.session} {how}: {reason}")
        return result
