"""Trajectories as messages, and the controllers' words for what went wrong."""

from control_msgs.action import FollowJointTrajectory
from rclpy.duration import Duration
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from cadsight_cell.arm import JOINT_NAMES
from cadsight_cell.motion.trajectory import Trajectory

ERROR_NAMES = {
    getattr(FollowJointTrajectory.Result, name): name
    for name in (
        "INVALID_GOAL",
        "INVALID_JOINTS",
        "OLD_HEADER_TIMESTAMP",
        "PATH_TOLERANCE_VIOLATED",
        "GOAL_TOLERANCE_VIOLATED",
    )
}


def to_message(trajectory: Trajectory) -> JointTrajectory:
    """The trajectory as the controller takes it."""
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
