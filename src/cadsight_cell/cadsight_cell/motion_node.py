"""The node that moves the arm: plans, times and hands the trajectory to the arm's controller."""

import threading
import time
from dataclasses import dataclass

from action_msgs.msg import GoalStatus
from cadsight_core.config.parameters import parameter
from cadsight_core.errors import CadsightError
from cadsight_ros.client_watch import ClientWatch
from cadsight_ros.clients import STATUS_NAMES, ActionClient, RefusedError, RunningGoal, UnansweredError
from cadsight_ros.convert.messages import joints_by_name
from cadsight_ros.node.parameters import declare
from cadsight_ros.node.peers import Peers
from cadsight_ros.node.running import log_stopped, run
from cadsight_ros.resources import resolve
from control_msgs.action import FollowJointTrajectory
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from cadsight_cell.arm import JOINT_NAMES, ArmParameters, joint_mapping
from cadsight_cell.holder import HolderParameters, collision_model
from cadsight_cell.motion.planner import NoPathError, RrtPlanner
from cadsight_cell.motion.trajectory import Trajectory, time_path
from cadsight_interfaces.action import MoveToJoints

# Closer than this to the goal the arm is there: no trajectory is that short.
_THERE_RAD = 1e-4

_ERROR_NAMES = {
    getattr(FollowJointTrajectory.Result, name): name
    for name in (
        "INVALID_GOAL",
        "INVALID_JOINTS",
        "OLD_HEADER_TIMESTAMP",
        "PATH_TOLERANCE_VIOLATED",
        "GOAL_TOLERANCE_VIOLATED",
    )
}


@dataclass(frozen=True)
class MotionParameters(HolderParameters, ArmParameters):
    """Parameters of the motion node."""

    controller: str = parameter(
        "scaled_joint_trajectory_controller",
        "controller whose follow_joint_trajectory action moves the arm",
        kind="name",
    )
    velocity_scaling: float = parameter(1.0, "fraction of the joints' velocity limits", minimum=0.01, maximum=1.0)
    planning_timeout_s: float = parameter(2.0, "longest search for a way around obstacles", minimum=0.01, maximum=60.0)
    joint_state_timeout_s: float = parameter(
        1.0, "oldest joint state that a motion starts from", minimum=0.05, maximum=60.0
    )
    driver_timeout_s: float = parameter(
        10.0, "longest wait for the first joint state of all", minimum=0.05, maximum=3600.0
    )
    accept_timeout_s: float = parameter(
        3.0, "longest wait for the controller to accept a trajectory", minimum=0.1, maximum=3600.0
    )
    execution_timeout_s: float = parameter(
        5.0, "longest time that a motion may take beyond twice its planned duration", minimum=0.1, maximum=3600.0
    )
    seed: int = parameter(1, "seed of the search for a way around obstacles", minimum=1)


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
        self._limits = arm.limits
        self._collisions = collision_model(self._settings, arm, resolve)
        self._planner = RrtPlanner(self._collisions, arm.limits)
        self._moving = threading.Lock()
        self._ending = threading.Event()
        self._joints: tuple[float, JointState] | None = None
        self._joints_came = threading.Condition()
        self._client = ClientWatch(self, "move_to_joints")
        self._controller = f"/{self._settings.controller}/follow_joint_trajectory"
        self._follow: ActionClient[FollowJointTrajectory.Goal, FollowJointTrajectory.Result] = ActionClient(
            self, FollowJointTrajectory, self._controller, accept_timeout_s=self._settings.accept_timeout_s
        )
        self.create_subscription(JointState, "/joint_states", self._on_joints, qos_profile_sensor_data)
        self._server = ActionServer(
            self,
            MoveToJoints,
            "~/move_to_joints",
            self._on_goal,
            goal_callback=lambda goal: GoalResponse.ACCEPT,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )
        self._peers = Peers(self, serves=["~/move_to_joints"], reads=["/joint_states"], calls=[self._controller])
        self.get_logger().info(f"moves the arm through {self._controller}")

    def bring_to_rest(self, timeout_s: float) -> None:
        """Cancel the goal that the controller has, and wait until it has taken that or the time is over."""
        self._ending.set()
        log_stopped(self, self._follow.end(timeout_s), timeout_s, f"the controller {self._settings.controller}")
        with self._joints_came:
            self._joints_came.notify_all()

    def _on_joints(self, message: JointState) -> None:
        with self._joints_came:
            self._joints = (time.monotonic(), message)
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
            self.get_logger().warning(result.message)
        except CadsightError as error:
            result.reason, result.message = "refused", str(error)
            handle.abort()
            self.get_logger().warning(result.message)
        return result

    def _move(self, handle: ServerGoalHandle) -> str:
        request: MoveToJoints.Goal = handle.request
        named = _named(request)
        self._peers.check()
        start = self._read_joints()
        goal = joint_mapping(start) | named
        path = self._planner.plan(start, goal, timeout_s=self._settings.planning_timeout_s, seed=self._settings.seed)
        if max(abs(path[-1] - path[0])) < _THERE_RAD:
            return "the arm was there already"
        scaling = request.velocity_scaling or self._settings.velocity_scaling
        trajectory = time_path(path, self._limits, self._collisions.is_edge_free, scaling)
        self._execute(handle, trajectory)
        return f"moved in {trajectory.duration:.2f} s"

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
                        "refused",
                        f"no joint state came on /joint_states for {patience:g} s, expected the arm's driver to run",
                    )
                self._joints_came.wait(0.1)
        return joints_by_name(self._joints[1], JOINT_NAMES).tolist()

    def _execute(self, handle: ServerGoalHandle, trajectory: Trajectory) -> None:
        # Planning took a while, in which another cell may have come.
        self._peers.check()
        goal = FollowJointTrajectory.Goal(trajectory=_message(trajectory))

        def on_feedback(feedback: FollowJointTrajectory.Feedback) -> None:
            passed = Duration.from_msg(feedback.desired.time_from_start).nanoseconds / 1e9
            if handle.is_active:
                handle.publish_feedback(MoveToJoints.Feedback(progress=min(passed / trajectory.duration, 1.0)))

        try:
            running = self._follow.send(goal, on_feedback)
        except (UnansweredError, RefusedError) as error:
            raise MotionError("refused", f"{error}, expected the controller {self._settings.controller}") from error
        timeout = 2 * trajectory.duration + self._settings.execution_timeout_s
        try:
            answer = running.wait(timeout, until=lambda: self._reason_to_stop(handle) is not None)
        except UnansweredError as error:
            self._stop(running)
            raise MotionError(
                "timeout", f"the motion of {trajectory.duration:.1f} s was stopped: {error}, expected it to end"
            ) from error
        if answer is None:
            reason = self._reason_to_stop(handle)
            self._stop(running)
            raise MotionError("cancelled", f"the motion was cancelled and the arm stopped{reason}")
        status, result = answer
        if status != GoalStatus.STATUS_SUCCEEDED or result.error_code != FollowJointTrajectory.Result.SUCCESSFUL:
            name = _ERROR_NAMES.get(result.error_code, f"error code {result.error_code}")
            detail = f" ({result.error_string})" if result.error_string else ""
            raise MotionError(
                "aborted",
                f"the controller {self._settings.controller} {STATUS_NAMES.get(status, 'ended')} the motion with "
                f"{name}{detail}, expected it to arrive",
            )

    def _reason_to_stop(self, handle: ServerGoalHandle) -> str | None:
        if handle.is_cancel_requested:
            return ""
        if self._ending.is_set():
            return ", since this node ends"
        return ", since its client went away" if self._client.gone() else None

    def _stop(self, running: RunningGoal[FollowJointTrajectory.Result]) -> None:
        try:
            running.cancel(self._settings.accept_timeout_s)
        except UnansweredError as error:
            self.get_logger().error(f"the arm may still be moving: {error}")


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


def _message(trajectory: Trajectory) -> JointTrajectory:
    points = [
        JointTrajectoryPoint(
            positions=position.tolist(),
            velocities=velocity.tolist(),
            time_from_start=Duration(seconds=float(seconds)).to_msg(),
        )
        # The first point is where the arm is: a controller that starts a little later would have passed it.
        for seconds, position, velocity in list(
            zip(trajectory.times, trajectory.positions, trajectory.velocities, strict=True)
        )[1:]
    ]
    return JointTrajectory(joint_names=list(JOINT_NAMES), points=points)


def main() -> int:
    """Run the node until it is interrupted."""
    # A motion blocks one thread; its cancelling, the joint states and the controller's answers need others.
    return run(MotionNode, threads=4)


if __name__ == "__main__":
    raise SystemExit(main())
