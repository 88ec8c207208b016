"""Whether the arm may be moved, by what its driver says, and in a sentence why not and what to do."""

from dataclasses import dataclass

# Below this the arm is as good as halted; drivers give percent with some rounding.
_HALTED = 0.005
_RUNNING = 7
_ROBOT_MODES = {
    -1: "NO_CONTROLLER",
    0: "DISCONNECTED",
    1: "CONFIRM_SAFETY",
    2: "BOOTING",
    3: "POWER_OFF",
    4: "POWER_ON",
    5: "IDLE",
    6: "BACKDRIVE",
    7: "RUNNING",
    8: "UPDATING_FIRMWARE",
}
_SAFETY_MODES = {
    1: "NORMAL",
    2: "REDUCED",
    3: "PROTECTIVE_STOP",
    4: "RECOVERY",
    5: "SAFEGUARD_STOP",
    6: "SYSTEM_EMERGENCY_STOP",
    7: "ROBOT_EMERGENCY_STOP",
    8: "VIOLATION",
    9: "FAULT",
    10: "VALIDATE_JOINT_ID",
    11: "UNDEFINED_SAFETY_MODE",
    12: "AUTOMATIC_MODE_SAFEGUARD_STOP",
    13: "SYSTEM_THREE_POSITION_ENABLING_STOP",
}
_WAYS_OUT = {
    3: "find what it touched, then unlock it on the pendant (or call /dashboard_client/unlock_protective_stop) and "
    "start its program again (/dashboard_client/play)",
    5: "close the safeguard and start the program again",
    6: "release the emergency stop, power the arm on and start its program",
    7: "release the emergency stop, power the arm on (/dashboard_client/power_on, brake_release) and start its program "
    "(/io_and_status_controller/resend_robot_program, or on the pendant)",
}


@dataclass(frozen=True)
class ArmStatus:
    """What the driver has said last; None for what it has not said.

    Attributes:
        mode, safety: ur_dashboard_msgs' RobotMode and SafetyMode.
        program_running: whether the driver's program has the arm.
        speed: fraction of the speed that trajectories are followed at.
    """

    mode: int | None = None
    safety: int | None = None
    program_running: bool | None = None
    speed: float | None = None

    def stopped(self) -> str | None:
        """Why the arm was stopped and what to do; None when nothing has stopped it."""
        if self.safety is not None and self.safety not in (1, 2):
            name = _SAFETY_MODES.get(self.safety, str(self.safety))
            way = _WAYS_OUT.get(self.safety, "see the pendant")
            return f"the arm's safety mode is {name}, expected NORMAL or REDUCED: {way}"
        if self.mode is not None and self.mode != _RUNNING:
            name = _ROBOT_MODES.get(self.mode, str(self.mode))
            return (
                f"the arm's mode is {name}, expected RUNNING: power it on and release its brakes "
                "(/dashboard_client/power_on, brake_release), and start its program"
            )
        if self.program_running is False:
            return (
                "the arm's program does not run, expected External Control to run: start it on the pendant, or in "
                "headless mode call /io_and_status_controller/resend_robot_program"
            )
        return None

    def hindrance(self) -> str | None:
        """Why a motion must not start now, and what to do; None when nothing is in the way."""
        stopped = self.stopped()
        if stopped is None and self.speed is not None and self.speed < _HALTED:
            return (
                "the arm's speed is scaled to 0 %, expected more: its program is paused "
                "(/dashboard_client/play, or on the pendant), or its speed slider stands at 0"
            )
        return stopped
