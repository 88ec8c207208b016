"""The robot's modes and program as its controller box keeps them: what stops the arm, and what lets it go again."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, IntEnum


class RobotMode(IntEnum):
    """ur_dashboard_msgs/RobotMode, the modes that occur here."""

    DISCONNECTED = 0
    POWER_OFF = 3
    IDLE = 5
    RUNNING = 7


class SafetyMode(IntEnum):
    """ur_dashboard_msgs/SafetyMode, the modes that occur here."""

    NORMAL = 1
    REDUCED = 2
    PROTECTIVE_STOP = 3
    ROBOT_EMERGENCY_STOP = 7


class ProgramState(Enum):
    """ur_dashboard_msgs/ProgramState."""

    STOPPED = "STOPPED"
    PLAYING = "PLAYING"
    PAUSED = "PAUSED"


@dataclass(frozen=True)
class Status:
    """What the box says.

    Attributes:
        slider: fraction of the speed that the pendant's slider stands at.
        connected: whether the driver hears the box.
        offset_rad: how far the elbow's reading has jumped from where the joint is.
    """

    mode: RobotMode = RobotMode.RUNNING
    safety: SafetyMode = SafetyMode.NORMAL
    program: ProgramState = ProgramState.PLAYING
    slider: float = 1.0
    connected: bool = True
    offset_rad: float = 0.0

    @property
    def program_running(self) -> bool:
        """Whether the driver's program has the arm; one that is paused has it still."""
        return self.connected and self.program is not ProgramState.STOPPED

    @property
    def may_move(self) -> bool:
        """Whether a program may move the arm: it is powered and heard, and nothing has stopped it."""
        safe = self.safety in (SafetyMode.NORMAL, SafetyMode.REDUCED)
        return safe and self.mode is RobotMode.RUNNING and self.connected

    @property
    def speed(self) -> float:
        """Fraction of a trajectory's speed that the arm goes at now."""
        return self.slider if self.may_move and self.program is ProgramState.PLAYING else 0.0


class Robot:
    """A box that is told what happens to it; safe from several threads. Requests answer as the dashboard does."""

    def __init__(self, slider: float = 1.0, changed: Callable[[Status], None] = lambda status: None) -> None:
        """``changed`` is called with every new status, one after the other."""
        self._lock = threading.RLock()
        self.status = self._first = Status(slider=slider)
        self._changed = changed

    def protective_stop(self) -> None:
        """Something was touched: the arm stops where it is and its program pauses."""
        with self._lock:
            self._become(safety=SafetyMode.PROTECTIVE_STOP, program=self._program(ProgramState.PAUSED))

    def emergency_stop(self) -> None:
        """The button: power is cut and the program ends."""
        with self._lock:
            self._become(safety=SafetyMode.ROBOT_EMERGENCY_STOP, mode=RobotMode.POWER_OFF, program=ProgramState.STOPPED)

    def lose_connection(self) -> None:
        """The cable: the box stops its program when it hears the driver no more."""
        with self._lock:
            self._become(connected=False, program=ProgramState.STOPPED)

    def end_program(self) -> None:
        """Somebody stops the program on the pendant."""
        with self._lock:
            self._become(program=ProgramState.STOPPED)

    def jump(self, radians: float) -> None:
        """The elbow's reading is off by so much from now on."""
        with self._lock:
            self._become(offset_rad=radians)

    def clear(self) -> None:
        """Whoever stands there has put everything right: button pulled, cable in, encoder read anew, slider back."""
        with self._lock:
            safety = self.status.safety
            if safety is SafetyMode.ROBOT_EMERGENCY_STOP:
                safety = SafetyMode.NORMAL
            self._become(safety=safety, connected=True, offset_rad=0.0, slider=self._first.slider)

    def move_slider(self, fraction: float) -> bool:
        """Whether the pendant's slider could be put there."""
        with self._lock:
            if not 0.01 <= fraction <= 1.0:
                return False
            self._become(slider=fraction)
            return True

    def unlock_protective_stop(self) -> tuple[bool, str]:
        with self._lock:
            if self.status.safety is not SafetyMode.PROTECTIVE_STOP:
                return False, "Cannot unlock: the arm is not in a protective stop"
            self._become(safety=SafetyMode.NORMAL)
            return True, "Protective stop releasing"

    def play(self) -> tuple[bool, str]:
        with self._lock:
            if not self.status.may_move:
                return False, "Failed to execute: play"
            self._become(program=ProgramState.PLAYING)
            return True, "Starting program"

    def pause(self) -> tuple[bool, str]:
        with self._lock:
            if self.status.program is not ProgramState.PLAYING:
                return False, "Failed to execute: pause"
            self._become(program=ProgramState.PAUSED)
            return True, "Pausing program"

    def stop(self) -> tuple[bool, str]:
        with self._lock:
            if self.status.program is ProgramState.STOPPED:
                return False, "Failed to execute: stop"
            self._become(program=ProgramState.STOPPED)
            return True, "Stopped"

    def power_off(self) -> tuple[bool, str]:
        with self._lock:
            self._become(mode=RobotMode.POWER_OFF, program=ProgramState.STOPPED)
            return True, "Powering off"

    def power_on(self) -> tuple[bool, str]:
        with self._lock:
            if self.status.safety is SafetyMode.ROBOT_EMERGENCY_STOP:
                return False, "Failed to execute: power on"
            if self.status.mode is RobotMode.POWER_OFF:
                self._become(mode=RobotMode.IDLE)
            return True, "Powering on"

    def brake_release(self) -> tuple[bool, str]:
        with self._lock:
            if self.status.safety is SafetyMode.ROBOT_EMERGENCY_STOP:
                return False, "Failed to execute: brake release"
            self._become(mode=RobotMode.RUNNING)
            return True, "Brake releasing"

    def _program(self, state: ProgramState) -> ProgramState:
        return state if self.status.program is ProgramState.PLAYING else self.status.program

    def _become(self, **changes: object) -> None:
        new = replace(self.status, **changes)  # type: ignore[arg-type]
        if new != self.status:
            self.status = new
            self._changed(new)
