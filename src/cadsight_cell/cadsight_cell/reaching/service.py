"""The service of the motion node that finds joint angles for a pose of the tool."""

from collections.abc import Callable, Sequence

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from cadsight_cell.arm import JOINT_NAMES
from cadsight_cell.motion.planner import NoPathError
from cadsight_cell.reaching.joints import Reaching
from cadsight_interfaces.srv import FindJoints


class JointsService:
    """Answers ``~/find_joints``; nothing moves."""

    def __init__(self, node: Node, reaching: Reaching, where: Callable[[], Sequence[float]]) -> None:
        """``reaching`` is the service's own; ``where`` returns the arm's joint angles, or raises why not."""
        self._reaching, self._where = reaching, where
        node.create_service(
            FindJoints, "~/find_joints", self._on_request, callback_group=MutuallyExclusiveCallbackGroup()
        )

    def _on_request(self, request: FindJoints.Request, response: FindJoints.Response) -> FindJoints.Response:
        try:
            joints = self._reaching.find(_pose(request), self._where(), request.free_turn)
        except NoPathError as error:
            response.reason, response.message = error.reason, str(error)
            return response
        except CadsightError as error:
            response.reason, response.message = "not_ready", str(error)
            return response
        response.success = True
        response.joint_names, response.positions = list(JOINT_NAMES), joints.tolist()
        response.message = f"joints at {', '.join(f'{v:.1f}' for v in np.rad2deg(joints))} degrees"
        return response


def _pose(request: FindJoints.Request) -> Pose:
    p, q = request.pose.position, request.pose.orientation
    numbers = np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w])
    if not (np.isfinite(numbers).all() and abs(np.linalg.norm(numbers[3:]) - 1) < 1e-2):
        raise NoPathError(
            "unreachable", f"the pose is {numbers.tolist()}, expected x, y, z and a quaternion of length one"
        )
    return Pose.from_quaternion(numbers[3:], numbers[:3])
