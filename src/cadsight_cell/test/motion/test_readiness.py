"""Whether the arm may be moved, by its driver's words."""

import pytest
from cadsight_cell.motion.readiness import ArmStatus


@pytest.mark.parametrize("status", [ArmStatus(), ArmStatus(7, 1, True, 1.0), ArmStatus(7, 2, True, 0.01)])
def test_an_arm_that_runs_or_of_which_nothing_is_known_may_be_moved(status):
    assert status.hindrance() is None


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ArmStatus(7, 3, True, 0.0), "PROTECTIVE_STOP, expected NORMAL or REDUCED: find what it touched, then unlock"),
        (ArmStatus(3, 7, False, 0.0), "safety mode is ROBOT_EMERGENCY_STOP, expected NORMAL or REDUCED: release"),
        (ArmStatus(7, 9, True), "safety mode is FAULT, expected NORMAL or REDUCED: see the pendant"),
        (ArmStatus(7, 42, True), "safety mode is 42"),
        (ArmStatus(5, 1, False), "the arm's mode is IDLE, expected RUNNING: power it on"),
        (ArmStatus(7, 1, False), "the arm's program does not run, expected External Control to run"),
        (ArmStatus(None, None, False), "the arm's program does not run"),
        (ArmStatus(7, 1, True, 0.0), "speed is scaled to 0 %, expected more: its program is paused"),
    ],
)
def test_what_hinders_a_motion_is_named_with_what_to_do(status, words):
    assert words in (status.hindrance() or "")


def test_a_paused_program_hinders_a_start_and_stops_no_motion():
    assert ArmStatus(7, 1, True, 0.0).stopped() is None
