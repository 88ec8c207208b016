"""The node that moves the arm: plans, times and hands the trajectory to the arm's controller."""

import threading
import time

import numpy as np
from action_msgs.msg import GoalStatus
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_ros.client_watch import ClientWatch
from cadsight_ros.clients import STATUS_NAMES, ActionClient, RefusedError, RunningGoal, UnansweredError
from cadsight_ros.convert.messages import stamp_ns
from cadsight_ros.convert.qos import LATCHED
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.peers import Peers, publishers
from cadsight_ros.node.running import log_stopped, run
from cadsight_ros.resources import resolve
from control_msgs.action import FollowJointTrajectory
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import MarkerArray

from cadsight_cell.arm import JOINT_NAMES, joint_mapping
from cadsight_cell.driver.robot_watch import RobotWatch
from cadsight_cell.holder import cell_bodies, collision_model
from cadsight_cell.joint_states import JointJumps, JointOrder
from cadsight_cell.messages.markers import body_markers, path_markers
from cadsight_cell.messages.trajectories import ERROR_NAMES, to_message
from cadsight_cell.motion.bounds import Bounds
from cadsight_cell.motion.planner import PLANNERS, NoPathError
from cadsight_cell.motion.progress import MotionProgress
from cadsight_cell.motion.trajectory import Trajectory, time_path
from cadsight_cell.motion_parameters import MotionParameters
from cadsight_cell.reaching.joints import Reaching
from cadsight_cell.reaching.service import JointsService
from cadsight_interfaces.action import MoveToJoints

# Closer than this to the goal the arm is there: no trajectory is that short.
_THERE_RAD = 1e-4
# Where nobody has set a speed: full in the simulated cell, which breaks nothing, and slow on an arm.
_SIMULATED, _FIRST_SCALING = "/simulated_cell", 0.1
# What rmw calls a node whose name it has not heard yet.
_UNNAMED = "_NODE_NAME_UNKNOWN_"


class MotionError(CadsightError):
    """A motion that did not come about; ``reason`` is MoveToJoints' word for it."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class MotionNode(Node):
    """Answers ~/move_to_joints; one motion at a time."""

    def __init__(self) -> None:
        super().__init__("motion", namespace="cadsight")
        p = self._settings = declare(self, MotionParameters)
        arm = p.arm(resolve)
        self._arm, self._bounds = arm, Bounds(self._settings, arm)
        self._limits = self._bounds.limits(arm.limits)
        self._collisions = collision_model(self._settings, arm, resolve)
        self._planner = PLANNERS[p.planner](self._collisions, arm.limits)
        self._preview = self.create_publisher(MarkerArray, "~/preview", LATCHED)
        self._trajectory = self.create_publisher(JointTrajectory, "~/trajectory", LATCHED)
        self._body_markers = self.create_publisher(MarkerArray, "~/bodies", LATCHED)
        self._body_markers.publish(body_markers(cell_bodies(p, resolve)))
        self._moving = threading.Lock()
        self._ending = threading.Event()
        self._joints: tuple[float, Array] | None = None
        self._joints_came = threading.Condition()
        self._client = ClientWatch(self, "move_to_joints")
        self._controller = f"/{self._settings.controller}/follow_joint_trajectory"
        self._follow: ActionClient[FollowJointTrajectory.Goal, FollowJointTrajectory.Result] = ActionClient(
            self, FollowJointTrajectory, self._controller, accept_timeout_s=self._settings.accept_timeout_s
        )
        self._order, self._jumps = JointOrder(), JointJumps(arm.limits.velocity)
        self._progress: MotionProgress | None = None
        self._reported = 0.0
        self._robot = RobotWatch(self, self._controller, self._wake)
        self.create_subscription(
            JointState,
            "/joint_states",
            self._on_joints,
            qos_profile_sensor_data,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )
        self._server = ActionServer(
            self,
            MoveToJoints,
            "~/move_to_joints",
            self._on_goal,
            goal_callback=lambda goal: GoalResponse.ACCEPT,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )
        own = p.arm(resolve)
        self._find = JointsService(self, Reaching(own, collision_model(p, own, resolve)), self._read_joints)
        self._peers = Peers(self, serves=["~/move_to_joints"], reads=["/joint_states"], calls=[self._controller])
        self.get_logger().info(f"moves the arm through {self._controller}")

    def bring_to_rest(self, timeout_s: float) -> None:
        """Cancel the goal that the controller has, and wait until it has taken that or the time is over."""
        self._ending.set()
        log_stopped(self, self._follow.end(timeout_s), timeout_s, f"the controller {self._settings.controller}")
        self._wake()

    def _wake(self) -> None:
        with self._joints_came:
            self._joints_came.notify_all()

    def _on_joints(self, message: JointState) -> None:
        try:
            positions = self._order.pick(message.name, message.position, "the joint state on /joint_states")
        except CadsightError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=5.0)
            return
        stamp = stamp_ns(message.header.stamp)
        with self._joints_came:
            self._jumps.add(stamp, positions)
            self._joints = (time.monotonic(), positions)
            if self._progress is not None:
                self._progress.add(stamp, positions)
            self._joints_came.notify_all()

    def _on_goal(self, handle: ServerGoalHandle) -> MoveToJoints.Result:
        result = MoveToJoints.Result()
        try:
            if not self._moving.acquire(blocking=False):
                raise MotionError("refused", "the arm is moving already, expected that motion to end or be cancelled")
            try:
                self._client.begin()
                result.message = self._move(handle)
            finally:
                self._moving.release()
            result.success = True
            handle.succeed()
        except (MotionError, NoPathError) as error:
            result.reason, result.message = error.reason, str(error)
            if error.reason == "cancelled" and handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.abort()
            if error.reason == "not_ready":
                # A session asks again and again until the arm is released.
                self.get_logger().warning(result.message, throttle_duration_sec=10.0)
            else:
                self.get_logger().warning(result.message)
        except CadsightError as error:
            result.reason, result.message = "refused", str(error)
            handle.abort()
            self.get_logger().warning(result.message)
        return result

    def _move(self, handle: ServerGoalHandle) -> str:
        request: MoveToJoints.Goal = handle.request
        named = _named(request)
        self._check_peers()
        start = self._read_joints()
        self._check_ready()
        goal = joint_mapping(start) | named
        path = self._planner.plan(start, goal, timeout_s=self._settings.planning_timeout_s, seed=self._settings.seed)
        if max(abs(path[-1] - path[0])) < _THERE_RAD:
            return "the arm was there already"
        trajectory = time_path(path, self._limits, self._collisions.is_edge_free, self._scaling(request))
        try:
            trajectory = self._bounds.held(trajectory, self._collisions.reach)
        except CadsightError as error:
            raise MotionError("out_of_bounds", str(error)) from error
        self._show(trajectory)
        if self._settings.dry_run:
            raise MotionError(
                "dry_run", f"planned a motion of {trajectory.duration:.2f} s and moved nothing, since dry_run is true"
            )
        self._execute(handle, trajectory)
        return f"moved in {trajectory.duration:.2f} s"

    def _scaling(self, request: MoveToJoints.Goal) -> float:
        asked = request.velocity_scaling or self._settings.velocity_scaling
        if asked:
            return asked
        end = time.monotonic() + self._settings.driver_timeout_s
        # A publisher is heard a moment before the name of its node is known.
        while not (names := publishers(self, "/joint_states")) or any(_UNNAMED in name for name in names):
            if time.monotonic() > end or self._ending.is_set():
                return _FIRST_SCALING
            with self._joints_came:
                self._joints_came.wait(0.05)
        return 1.0 if names == [_SIMULATED] else _FIRST_SCALING

    def _show(self, trajectory: Trajectory) -> None:
        places = [self._arm.forward(joints).translation for joints in trajectory.positions]
        self._preview.publish(path_markers(np.array(places)))
        self._trajectory.publish(to_message(trajectory))

    def _read_joints(self) -> list[float]:
        oldest = self._settings.joint_state_timeout_s
        # The driver is found a little later than this node: silence before its first message means nothing.
        patience = oldest if self._joints is not None else max(oldest, self._settings.driver_timeout_s)
        end = time.monotonic() + patience
        with self._joints_came:
            while self._joints is None or time.monotonic() - self._joints[0] > oldest:
                if self._ending.is_set():
                    raise MotionError("cancelled", "the arm was not moved, since this node ends")
                if time.monotonic() > end:
                    raise MotionError(
                        "not_ready",
                        f"no joint state came on /joint_states for {patience:g} s, expected the arm's driver to run",
                    )
                self._joints_came.wait(0.1)
            return self._joints[1].tolist()

    def _check_peers(self) -> None:
        try:
            self._peers.check()
        except CadsightError as error:
            # A controller that was killed and started again is seen twice for some seconds.
            raise MotionError("not_ready", str(error)) from error

    def _check_ready(self) -> None:
        """Refuse to move an arm that is stopped, that another client moves, or whose readings cannot be."""
        self._check_peers()
        end = time.monotonic() + self._settings.driver_timeout_s
        while waiting := self._robot.waits_for():
            if self._ending.is_set():
                raise MotionError("cancelled", "the arm was not moved, since this node ends")
            if time.monotonic() > end:
                raise MotionError(
                    "not_ready",
                    f"nothing came on {waiting[0]} for {self._settings.driver_timeout_s:g} s, expected the arm's "
                    "driver to tell it: is the robot's program started?",
                )
            with self._joints_came:
                self._joints_came.wait(0.1)
        foreign = self._robot.foreign_goals(self._follow.sent)
        sentence = self._robot.status.hindrance() or self._jumps.sentence
        if foreign and sentence is None:
            sentence = (
                f"another client moves the arm through {self._controller}, expected nobody to: wait for its end or "
                "cancel it"
            )
        if sentence is not None:
            raise MotionError("not_ready", f"the arm was not moved: {sentence}")

    def _execute(self, handle: ServerGoalHandle, trajectory: Trajectory) -> None:
        # Planning took a while, in which another cell may have come, or the arm was stopped.
        self._check_ready()
        goal = FollowJointTrajectory.Goal(trajectory=to_message(trajectory))
        progress = MotionProgress(trajectory, self._settings.stall_s)
        with self._joints_came:
            self._progress, self._reported = progress, 0.0
        reasons: list[tuple[str, str]] = []

        def to_be_stopped() -> bool:
            self._report(handle, progress)
            reason = self._reason_to_stop(handle, progress)
            reasons.extend([reason] if reason is not None else [])
            return bool(reasons)

        try:
            running = self._send(goal)
            try:
                answer = running.wait(until=to_be_stopped)
            except UnansweredError as error:
                self._stop(running)
                raise MotionError("not_ready", f"the motion was broken off: {error}, expected it to stay") from error
        finally:
            with self._joints_came:
                self._progress = None
        if answer is None:
            self._stop(running)
            reason, sentence = reasons[0]
            raise MotionError(reason, f"the motion was cancelled and the arm stopped{sentence}")
        status, result = answer
        if status != GoalStatus.STATUS_SUCCEEDED or result.error_code != FollowJointTrajectory.Result.SUCCESSFUL:
            stopped = self._robot.status.stopped()
            if stopped is not None:
                raise MotionError("not_ready", f"the motion ended half-way: {stopped}")
            name = ERROR_NAMES.get(result.error_code, f"error code {result.error_code}")
            detail = f" ({result.error_string})" if result.error_string else ""
            raise MotionError(
                "aborted",
                f"the controller {self._settings.controller} {STATUS_NAMES.get(status, 'ended')} the motion with "
                f"{name}{detail}, expected it to arrive",
            )

    def _send(self, goal: FollowJointTrajectory.Goal) -> RunningGoal[FollowJointTrajectory.Result]:
        expected = f"expected the controller {self._settings.controller}"
        try:
            return self._follow.send(goal)
        except UnansweredError as error:
            raise MotionError("not_ready", f"{error}, {expected}") from error
        except RefusedError as error:
            stopped = self._robot.status.stopped()
            if stopped is not None:
                raise MotionError("not_ready", f"the arm was not moved: {stopped}") from error
            raise MotionError("refused", f"{error}, {expected}") from error

    def _report(self, handle: ServerGoalHandle, progress: MotionProgress) -> None:
        fraction = progress.fraction
        if handle.is_active and fraction >= self._reported + 0.01:
            self._reported = fraction
            handle.publish_feedback(MoveToJoints.Feedback(progress=fraction))

    def _reason_to_stop(self, handle: ServerGoalHandle, progress: MotionProgress) -> tuple[str, str] | None:
        """The word and the end of the sentence for what ends the motion in hand; None while nothing does."""
        if handle.is_cancel_requested:
            return "cancelled", ""
        if self._ending.is_set():
            return "cancelled", ", since this node ends"
        if self._client.gone():
            return "cancelled", ", since its client went away"
        stopped = self._robot.status.stopped() or self._jumps.sentence
        if stopped is not None:
            return "not_ready", f": {stopped}"
        joints, oldest = self._joints, self._settings.stall_s
        if joints is not None and time.monotonic() - joints[0] > oldest:
            return "not_ready", f": no joint state came on /joint_states for {oldest:g} s, expected the driver to run"
        if progress.stalled:
            hindrance = self._robot.status.hindrance()
            where = f"at {100 * progress.fraction:.0f} % of its way"
            return "stalled", f": the arm did not come on for {oldest:g} s {where}{_because(hindrance)}"
        return None

    def _stop(self, running: RunningGoal[FollowJointTrajectory.Result]) -> None:
        try:
            running.cancel(self._settings.accept_timeout_s)
        except UnansweredError as error:
            self.get_logger().error(f"the arm may still be moving: {error}")


def _because(hindrance: str | None) -> str:
    return ", expected it to move" if hindrance is None else f"; {hindrance}"


def _named(request: MoveToJoints.Goal) -> dict[str, float]:
    names, positions = list(request.joint_names), list(request.positions)
    if len(names) != len(positions) or not names:
        raise MotionError(
            "unreachable",
            f"the goal names {len(names)} joints and has {len(positions)} positions, expected one position for "
            "each joint and at least one joint",
        )
    unknown = [n for n in names if n not in JOINT_NAMES]
    if unknown:
        raise MotionError(
            "unreachable", f"the goal names the joint {unknown[0]!r}, expected some of {', '.join(JOINT_NAMES)}"
        )
    return dict(zip(names, positions, strict=True))


def main() -> int:
    """Run the node until it is interrupted."""
    # A motion blocks one thread; its cancelling, the joint states and the controller's answers need others.
    return run(MotionNode, threads=4)


if __name__ == "__main__":
    raise SystemExit(main())
