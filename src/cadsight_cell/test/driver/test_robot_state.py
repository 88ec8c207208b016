"""What stops the simulated robot, and in which order it is brought back."""

import pytest
from cadsight_cell.driver.robot_state import ProgramState, Robot, RobotMode, SafetyMode, Status


def test_a_protective_stop_pauses_the_program_which_goes_on_only_by_unlocking_and_playing():
    seen = []
    robot = Robot(0.5, seen.append)
    robot.protective_stop()
    assert (robot.status.speed, robot.status.program_running) == (0.0, True)
    assert robot.play() == (False, "Failed to execute: play")
    assert robot.unlock_protective_stop()[0]
    assert robot.status.speed == 0.0
    assert robot.play()[0]
    assert robot.status == Status(slider=0.5)
    assert [s.safety for s in seen] == [SafetyMode.PROTECTIVE_STOP, SafetyMode.NORMAL, SafetyMode.NORMAL]


def test_after_an_emergency_stop_power_brakes_and_program_come_back_one_by_one():
    robot = Robot()
    robot.emergency_stop()
    assert (robot.status.mode, robot.status.program) == (RobotMode.POWER_OFF, ProgramState.STOPPED)
    assert not robot.power_on()[0]
    robot.clear()
    assert not robot.play()[0]
    assert robot.power_on()[0]
    assert robot.status.mode is RobotMode.IDLE
    assert robot.brake_release()[0]
    assert not robot.status.program_running
    assert robot.play()[0]
    assert robot.status == Status()


def test_a_lost_connection_ends_the_program_until_the_cable_is_in_and_it_is_started():
    robot = Robot()
    robot.lose_connection()
    assert not robot.status.program_running
    assert not robot.play()[0]
    robot.clear()
    assert not robot.status.program_running
    assert robot.play()[0]
    assert robot.status.program_running


@pytest.mark.parametrize(
    ("fraction", "moved"), [(0.1, True), (1.0, True), (0.0, False), (1.1, False), (float("nan"), False)]
)
def test_the_slider_takes_fractions_alone(fraction, moved):
    robot = Robot()
    assert robot.move_slider(fraction) is moved
    assert robot.status.slider == (fraction if moved else 1.0)
