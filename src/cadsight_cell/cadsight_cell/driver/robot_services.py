"""What ur_robot_driver says of the robot's modes and lets be asked of its box, and the faults that a test asks for.

Names, types and latching are those of its io_and_status_controller, its dashboard_client and the controller_manager.
"""

import functools
from collections.abc import Callable

from cadsight_ros.convert.qos import LATCHED
from cadsight_ros.node.stopping import unless_stopped
from controller_manager_msgs.msg import ControllerState
from controller_manager_msgs.srv import ListControllers
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from ur_dashboard_msgs.msg import ProgramState as ProgramStateMessage
from ur_dashboard_msgs.msg import RobotMode as RobotModeMessage
from ur_dashboard_msgs.msg import SafetyMode as SafetyModeMessage
from ur_dashboard_msgs.srv import (
    GetProgramState,
    GetRobotMode,
    GetSafetyMode,
    IsInRemoteControl,
    IsProgramRunning,
)

from cadsight_cell.driver import names
from cadsight_cell.driver.robot_state import Robot, Status

_BROADCASTERS = {
    "joint_state_broadcaster": "joint_state_broadcaster/JointStateBroadcaster",
    "io_and_status_controller": "ur_controllers/GPIOController",
    "speed_scaling_state_broadcaster": "ur_controllers/SpeedScalingStateBroadcaster",
}
_TRAJECTORY_TYPES = {names.SCALED_CONTROLLER: "ur_controllers/ScaledJointTrajectoryController"}
_PROGRAM = "external_control.urp"


class RobotTopics:
    """The latched topics of the robot's modes."""

    def __init__(self, node: Node, status: Status) -> None:
        self._node = node
        self._mode = node.create_publisher(RobotModeMessage, names.ROBOT_MODE, LATCHED)
        self._safety = node.create_publisher(SafetyModeMessage, names.SAFETY_MODE, LATCHED)
        self._running = node.create_publisher(Bool, names.ROBOT_PROGRAM_RUNNING, LATCHED)
        self._last: tuple[int, int, bool] | None = None
        self.publish(status)

    def publish(self, status: Status) -> None:
        """Tell what has changed."""
        last = self._last
        # A driver that hears its box no more does not know its modes, and says nothing new of them.
        modes = (int(status.mode), int(status.safety)) if last is None or status.connected else last[:2]
        self._last = (*modes, status.program_running)
        with unless_stopped(self._node):
            if last is None or modes[0] != last[0]:
                self._mode.publish(RobotModeMessage(mode=modes[0]))
            if last is None or modes[1] != last[1]:
                self._safety.publish(SafetyModeMessage(mode=modes[1]))
            if last is None or status.program_running != last[2]:
                self._running.publish(Bool(data=status.program_running))


class RobotServices:
    """The dashboard, the list of controllers, and ``~/fault/NAME`` for each fault."""

    def __init__(self, node: Node, robot: Robot, controller: str, faults: dict[str, Callable[[], object]]) -> None:
        self._node, self._robot, self._controller = node, robot, controller
        self._group = ReentrantCallbackGroup()
        for name in names.DASHBOARD_COMMANDS:
            self._trigger(f"{names.DASHBOARD}/{name}", getattr(robot, name))
        self._trigger(names.RESEND_ROBOT_PROGRAM, robot.play)
        for name, fault in faults.items():
            self._trigger(f"~/fault/{name}", functools.partial(self._fault, name, fault))
        questions = (
            (GetRobotMode, self._on_mode),
            (GetSafetyMode, self._on_safety),
            (GetProgramState, self._on_program),
            (IsProgramRunning, self._on_running),
            (IsInRemoteControl, self._on_remote),
        )
        for name, (kind, answer) in zip(names.DASHBOARD_QUESTIONS, questions, strict=True):
            node.create_service(kind, f"{names.DASHBOARD}/{name}", answer, callback_group=self._group)
        node.create_service(
            ListControllers, names.LIST_CONTROLLERS, self._on_controllers, callback_group=self._group
        )

    def _trigger(self, name: str, call: Callable[[], tuple[bool, str]]) -> None:
        def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.success, response.message = call()
            return response

        self._node.create_service(Trigger, name, answer, callback_group=self._group)

    def _fault(self, name: str, fault: Callable[[], object]) -> tuple[bool, str]:
        self._node.get_logger().warning(f"a fault on request: {name}")
        fault()
        return True, name

    def _on_mode(self, _: GetRobotMode.Request, response: GetRobotMode.Response) -> GetRobotMode.Response:
        mode = self._robot.status.mode
        response.robot_mode.mode, response.answer, response.success = int(mode), f"Robotmode: {mode.name}", True
        return response

    def _on_safety(self, _: GetSafetyMode.Request, response: GetSafetyMode.Response) -> GetSafetyMode.Response:
        mode = self._robot.status.safety
        response.safety_mode.mode, response.answer, response.success = int(mode), f"Safetymode: {mode.name}", True
        return response

    def _on_program(self, _: GetProgramState.Request, response: GetProgramState.Response) -> GetProgramState.Response:
        state = self._robot.status.program.value
        response.state = ProgramStateMessage(state=state)
        response.program_name, response.answer, response.success = _PROGRAM, f"{state} {_PROGRAM}", True
        return response

    def _on_running(
        self, _: IsProgramRunning.Request, response: IsProgramRunning.Response
    ) -> IsProgramRunning.Response:
        running = self._robot.status.program.value == ProgramStateMessage.PLAYING
        response.program_running, response.answer = running, f"Program running: {str(running).lower()}"
        response.success = True
        return response

    def _on_remote(
        self, _: IsInRemoteControl.Request, response: IsInRemoteControl.Response
    ) -> IsInRemoteControl.Response:
        response.remote_control, response.answer, response.success = True, "true", True
        return response

    def _on_controllers(
        self, _: ListControllers.Request, response: ListControllers.Response
    ) -> ListControllers.Response:
        active = "active" if self._robot.status.program_running else "inactive"
        kind = _TRAJECTORY_TYPES.get(self._controller, "joint_trajectory_controller/JointTrajectoryController")
        response.controller = [
            *(ControllerState(name=name, type=kind, state="active") for name, kind in _BROADCASTERS.items()),
            ControllerState(name=self._controller, type=kind, state=active),
        ]
        return response
