"""The node that captures sessions: an action that moves the arm and writes what the camera sees."""

import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.parts.part import load_part, load_parts
from cadsight_core.storage.files import inside
from cadsight_ros.client_watch import ClientWatch
from cadsight_ros.node.diagnostics import OK, WARN, Diagnostics, make_status
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.peers import Peers
from cadsight_ros.node.running import log_stopped, run
from cadsight_ros.resources import resolve
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_srvs.srv import SetBool

from cadsight_capture.capture_parameters import CaptureParameters
from cadsight_capture.hand_eye.provenance import provenance
from cadsight_capture.labels.colour import NO_COLOUR
from cadsight_capture.ros_cell import RosCell
from cadsight_capture.session import Progress, Session, SessionParameters, SessionPlan, StoppedError
from cadsight_capture.views.poses import Poses, only
from cadsight_capture.views.view import ViewParameters
from cadsight_interfaces.action import CaptureSession
from cadsight_interfaces.srv import GetStatistics

_LOOK_FOR_CLIENT_S = 0.5


class CaptureNode(Node):
    """Answers ~/capture_session, ~/pause and ~/get_statistics; one session at a time."""

    def __init__(self) -> None:
        super().__init__("capture", namespace="cadsight")
        self._settings = declare(self, CaptureParameters)
        self._part = load_part(resolve(self._settings.part))
        self._classes = _classes(resolve(self._settings.part), self._part.class_id)
        self._provenance = provenance(self._settings.hand_eye_file, resolve)
        self._poses = Poses(self._settings, self._part, resolve)
        self._cell = RosCell(self, self._settings, self._settings.arm(resolve))
        self._peers = Peers(self, serves=["~/capture_session"], reads=[self._settings.image_topic, "/joint_states"])
        self._busy = threading.Lock()
        self._progress = Progress(0, 0)
        group = ReentrantCallbackGroup()
        self._server = ActionServer(
            self,
            CaptureSession,
            "~/capture_session",
            self._on_goal,
            goal_callback=lambda goal: GoalResponse.ACCEPT,
            cancel_callback=self._on_cancel,
            callback_group=group,
        )
        self.create_service(SetBool, "~/pause", self._on_pause, callback_group=group)
        self.create_service(GetStatistics, "~/get_statistics", self._on_statistics, callback_group=group)
        self._diagnostics = Diagnostics(self, self._status)
        self._client = ClientWatch(self, "capture_session")
        self.create_timer(_LOOK_FOR_CLIENT_S, self._look_for_client, callback_group=group)
        self.get_logger().info(f"ready: writes sessions to {Path(self._settings.output_folder).expanduser().resolve()}")

    def bring_to_rest(self, timeout_s: float) -> None:
        """End the session in hand and the motion with it; the images that were taken are kept."""
        last = time.monotonic() + timeout_s
        log_stopped(self, self._cell.end(timeout_s), timeout_s, "the motion node")
        if self._busy.acquire(timeout=max(last - time.monotonic(), 0.0)):
            self._busy.release()
        else:
            self.get_logger().warning("the session had not ended, expected its last image to be written")

    def _look_for_client(self) -> None:
        if self._busy.locked() and not self._cell.control.stopping and self._client.gone():
            self.get_logger().warning("the session is stopped, since its client went away")
            self._cell.control.stop()

    def _on_goal(self, handle: ServerGoalHandle) -> CaptureSession.Result:
        if not self._busy.acquire(blocking=False):
            handle.abort()
            return CaptureSession.Result(message="a session is running already, expected it to end or be cancelled")
        try:
            self._cell.renew()
            self._client.begin()
            return self._capture(handle)
        finally:
            self._busy.release()

    def _capture(self, handle: ServerGoalHandle) -> CaptureSession.Result:
        goal: CaptureSession.Goal = handle.request
        result = CaptureSession.Result()

        def report(progress: Progress) -> None:
            self._progress = progress
            if handle.is_cancel_requested:  # a cancel that came before this session's own control was there
                self._cell.control.stop()
            result.captured, result.skipped = progress.captured, sum(progress.skipped.values())
            if handle.is_active and self.context.ok():
                handle.publish_feedback(_feedback(progress))

        try:
            session = self._session(goal, report)
            report(session.progress())
            session.run()
        except StoppedError:
            result.message = f"stopped with {result.captured} of {goal.count} images"
            if handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.abort()
            return result
        except CadsightError as error:
            result.message = str(error)
            self.get_logger().error(result.message)
            handle.abort()
            return result
        result.success = True
        result.message = f"{result.captured} images in {session.folder}"
        handle.succeed()
        return result

    def _session(self, goal: CaptureSession.Goal, report: Any) -> Session:
        if not self._part.colour:
            raise CadsightError(NO_COLOUR.format(part=self._part.name))
        self._peers.check()
        settings = self._settings
        plan = SessionPlan(goal.session, goal.split, int(goal.count), int(goal.seed))
        folder = inside(Path(settings.output_folder).expanduser(), goal.folder)
        recipe = {
            "part": self._part.name,
            "home_joints": settings.home_joints,
            "spread_joints": settings.spread_joints,
            **asdict(only(ViewParameters, settings)),
        }
        return Session(
            folder,
            self._classes,
            plan,
            self._cell,
            np.array(settings.background_joints),
            lambda camera, base_from_camera: self._poses.sampler(plan.seed, camera, base_from_camera),
            recipe=recipe,
            provenance=self._provenance,
            parameters=only(SessionParameters, settings),
            control=self._cell.control,
            report=report,
        )

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._cell.control.stop()
        return CancelResponse.ACCEPT

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if not self._busy.locked():
            response.message = "no session is running, expected one to pause or to continue"
            return response
        self._cell.control.pause(request.data)
        response.success = True
        response.message = "the session pauses after the pose in hand" if request.data else "the session goes on"
        return response

    def _on_statistics(
        self, request: GetStatistics.Request, response: GetStatistics.Response
    ) -> GetStatistics.Response:
        response.status = self._status()
        return response

    def _status(self) -> DiagnosticStatus:
        running, progress = self._busy.locked(), self._progress
        word = "idle"
        if running:
            stood = "waiting for the arm" if progress.waiting else "capturing"
            word = "paused" if self._cell.control.paused and not progress.waiting else stood
        values = {
            "captured": progress.captured,
            "count": progress.count,
            "images_per_minute": progress.images_per_minute,
            **{f"skipped.{reason}": number for reason, number in sorted(progress.skipped.items())},
            "last_skip": progress.last_skip,
        }
        return make_status(self, WARN if progress.last_skip else OK, word, values)


def _feedback(progress: Progress) -> CaptureSession.Feedback:
    return CaptureSession.Feedback(
        captured=progress.captured,
        count=progress.count,
        skipped=sum(progress.skipped.values()),
        images_per_minute=progress.images_per_minute,
        last_skip=progress.last_skip,
    )


def _classes(path: Path, class_id: int) -> tuple[str, ...]:
    """The classes of the part's folder, in the order of their ids."""
    parts = load_parts(path.parent)
    if [p.class_id for p in parts] != list(range(len(parts))):
        ids = ", ".join(f"{p.name} {p.class_id}" for p in parts)
        raise CadsightError(f"the parts in {path.parent} have the class ids {ids}, expected 0 to {len(parts) - 1}")
    assert 0 <= class_id < len(parts)
    return tuple(p.name for p in parts)


def main() -> int:
    """Run the node until it is interrupted."""
    # A session blocks one thread; images, joint states, answers and services need the others.
    return run(CaptureNode, threads=6)


if __name__ == "__main__":
    raise SystemExit(main())
