"""The simulated arm's controller: FollowJointTrajectory as ros2_control's joint_trajectory_controller has it.

Of ros2_controllers 5 (Kilted): goals are followed at the scaled speed, feedback comes at 20 Hz, a new goal takes the
place of the one that runs, an end velocity is refused, and tolerances are those of ur_robot_driver's file.
"""

import threading
import time
from collections.abc import Callable, Iterable

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_ros.convert.messages import stamp_from_ns
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTolerance
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectoryPoint

from cadsight_cell.arm import JOINT_NAMES, UR3E_LIMITS
from cadsight_cell.driver.follower import TrajectoryFollower, Waypoint, waypoint_in_order
from cadsight_cell.driver.robot_state import Robot

# action_monitor_rate, and the constraints of ur_robot_driver's ur_controllers.yaml: radians on the way and at its end.
FEEDBACK_HZ = 20.0
PATH_TOLERANCE_RAD, GOAL_TOLERANCE_RAD = 0.2, 0.1
_END_VELOCITY = float(np.finfo(np.float32).eps)
_STEP_S = 0.005

_Result = FollowJointTrajectory.Result


class TrajectoryController:
    """Serves ``/NAME/follow_joint_trajectory`` and moves ``follower``."""

    def __init__(
        self,
        node: Node,
        name: str,
        follower: TrajectoryFollower,
        robot: Robot,
        check: Callable[[], None],
        halfway: Callable[[int], str],
    ) -> None:
        """
        Args:
            check: raises a CadsightError while goals are to be refused.
            halfway: called in the middle of each trajectory with its number from 1; the error string to abort it with.
        """
        self._node, self._follower, self._robot = node, follower, robot
        self._check, self._halfway = check, halfway
        self._starting = threading.Lock()
        self._current: ServerGoalHandle | None = None
        self.trajectories = 0
        self._server = ActionServer(
            node,
            FollowJointTrajectory,
            f"/{name}/follow_joint_trajectory",
            execute_callback=self._execute,
            goal_callback=self._check_goal,
            handle_accepted_callback=self._accept,
            cancel_callback=lambda goal: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )

    def _seconds(self) -> float:
        return self._node.get_clock().now().nanoseconds / 1e9

    def _check_goal(self, request: FollowJointTrajectory.Goal) -> GoalResponse:
        try:
            self._check()
            if not self._robot.status.program_running:
                raise CadsightError("the controller is not active, expected the robot's program to run")
            _check_tolerances(request)
            # A follower of its own tries the trajectory, so that a refused one moves nothing.
            trial = TrajectoryFollower(self._follower.at(self._seconds()).positions, UR3E_LIMITS)
            trial.start(_waypoints(request), 0.0)
        except CadsightError as error:
            self._node.get_logger().error(f"refused a goal: {error}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _accept(self, goal: ServerGoalHandle) -> None:
        with self._starting:
            self._current = goal
        goal.execute()

    def _execute(self, goal: ServerGoalHandle) -> FollowJointTrajectory.Result:
        try:
            # A goal whose turn came late must not move the arm that a newer one has.
            with self._starting:
                newest = self._current is goal
                if newest:
                    self.trajectories += 1
                number = self.trajectories
                duration = self._follower.start(_waypoints(goal.request), self._seconds()) if newest else 0.0
        except CadsightError as error:
            return _aborted(goal, _Result.INVALID_GOAL, str(error))
        following = _Following(goal, self._follower, duration)
        half = False
        while self._node.context.ok():
            now = self._seconds()
            if self._current is not goal:
                return _aborted(goal, _Result.INVALID_GOAL, "Current goal preempted by new incoming action.")
            if goal.is_cancel_requested:
                self._follower.stop(now)
                goal.canceled()
                return _Result(error_code=_Result.SUCCESSFUL)
            if not self._robot.status.program_running:
                self._follower.stop(now)
                text = "Current goal cancelled during deactivate transition."
                return _aborted(goal, _Result.INVALID_GOAL, text)
            passed = self._follower.passed(now)
            if not half and passed >= duration / 2:
                half = True
                text = self._halfway(number)
                if text:
                    self._follower.stop(now)
                    return _aborted(goal, _Result.PATH_TOLERANCE_VIOLATED, text)
            off = np.zeros(6)
            off[2] = self._robot.status.offset_rad
            ended = following.judge(passed, np.abs(off), now)
            if ended is not None:
                if ended.error_code != _Result.SUCCESSFUL:
                    self._follower.stop(now)
                    return _aborted(goal, ended.error_code, ended.error_string)
                goal.succeed()
                return ended
            following.feed_back(passed, off, now)
            time.sleep(_STEP_S)
        # The node is being stopped; nobody can be answered any more.
        return _Result(error_code=_Result.PATH_TOLERANCE_VIOLATED, error_string="the cell was stopped")


class _Following:
    """One goal on its way: whether it has ended by its tolerances, and its feedback."""

    def __init__(self, goal: ServerGoalHandle, follower: TrajectoryFollower, duration: float) -> None:
        request = goal.request
        self._goal, self._follower, self._duration = goal, follower, duration
        self._path = _tolerances(request.path_tolerance, PATH_TOLERANCE_RAD)
        self._end = _tolerances(request.goal_tolerance, GOAL_TOLERANCE_RAD)
        self._goal_time = Duration.from_msg(request.goal_time_tolerance).nanoseconds / 1e9
        self._arrived: float | None = None
        self._fed_back = -np.inf

    def judge(self, passed: float, error: Array, now: float) -> FollowJointTrajectory.Result | None:
        """What the goal ends with at ``passed`` seconds of the trajectory with ``error`` (6,), or None."""
        if passed < self._duration:
            if (error > self._path).any():
                return _Result(
                    error_code=_Result.PATH_TOLERANCE_VIOLATED, error_string="Aborted due to path tolerance violation"
                )
            return None
        if (error <= self._end).all():
            return _Result(error_code=_Result.SUCCESSFUL, error_string="Goal successfully reached!")
        self._arrived = now if self._arrived is None else self._arrived
        late = now - self._arrived
        if 0 < self._goal_time < late:
            text = f"Aborted due to goal_time_tolerance exceeding by {late - self._goal_time:f} seconds"
            return _Result(error_code=_Result.GOAL_TOLERANCE_VIOLATED, error_string=text)
        return None

    def feed_back(self, passed: float, error: Array, now: float) -> None:
        """Tell the client where the arm is, at most at the controller's rate."""
        if now - self._fed_back < 1 / FEEDBACK_HZ:
            return
        self._fed_back = now
        state = self._follower.at(now)
        feedback = FollowJointTrajectory.Feedback(joint_names=list(JOINT_NAMES))
        feedback.header.stamp = stamp_from_ns(round(now * 1e9))
        since = Duration(seconds=passed).to_msg()
        for name, positions in (
            ("desired", state.positions),
            ("actual", state.positions + error),
            ("error", error),
        ):
            velocities = state.velocities if name != "error" else np.zeros(6)
            point = JointTrajectoryPoint(
                positions=positions.tolist(), velocities=velocities.tolist(), time_from_start=since
            )
            setattr(feedback, name, point)
        self._goal.publish_feedback(feedback)


def _check_tolerances(request: FollowJointTrajectory.Goal) -> None:
    points = request.trajectory.points
    for name, velocity in zip(request.trajectory.joint_names, points[-1].velocities if points else (), strict=False):
        if not abs(velocity) <= _END_VELOCITY:
            raise CadsightError(f"a trajectory's last velocity of {name} is {velocity:g} rad/s, expected 0")
    for tolerance in (*request.path_tolerance, *request.goal_tolerance):
        if tolerance.name not in JOINT_NAMES:
            raise CadsightError(f"a tolerance is for the joint {tolerance.name!r}, expected one of the arm's")
        if not (tolerance.position >= 0 or tolerance.position == -1):
            raise CadsightError(
                f"the tolerance of {tolerance.name} is {tolerance.position:g} rad, expected at least 0, or -1 for none"
            )


def _tolerances(asked: Iterable[JointTolerance], default: float) -> Array:
    """Radians (6,) by which each joint may be off: 0 asks for the default, -1 for any."""
    tolerances = np.full(len(JOINT_NAMES), default)
    for tolerance in asked:
        if tolerance.position != 0:
            tolerances[JOINT_NAMES.index(tolerance.name)] = tolerance.position if tolerance.position > 0 else np.inf
    return tolerances


def _waypoints(goal: FollowJointTrajectory.Goal) -> list[Waypoint]:
    trajectory = goal.trajectory
    return [
        waypoint_in_order(
            trajectory.joint_names,
            point.time_from_start.sec + point.time_from_start.nanosec / 1e9,
            point.positions,
            point.velocities,
        )
        for point in trajectory.points
    ]


def _aborted(goal: ServerGoalHandle, code: int, text: str) -> FollowJointTrajectory.Result:
    goal.abort()
    return _Result(error_code=code, error_string=text)
