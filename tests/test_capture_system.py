"""Whole sessions with the simulated cell, the motion node and the capture node."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from cadsight_cell.arm import joint_vector
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.images import read_image
from cadsight_ros.clients import ServiceClient
from cell_nodes import running_cell, until
from std_srvs.srv import SetBool

from cadsight_interfaces.srv import GetStatistics


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    with running_cell(tmp_path_factory.mktemp("cell")) as running:
        yield running


def images(cell, name):
    return [s for s in Dataset.open(cell.sessions / name / "raw") if not s.record["background"]]


def truth(cell):
    lines = (cell.truth / "frames.jsonl").read_text().splitlines()
    return [(f["stamp_ns"], np.array(f["joints"])) for f in map(json.loads, lines)]


def test_a_session_of_five_has_sharp_images_with_the_joints_of_their_stamp(cell):
    seen = []
    status, result = cell.capture.send(cell.session("five", 5), seen.append).wait(300)
    assert (status, result.success, result.captured, result.skipped) == (GoalStatus.STATUS_SUCCEEDED, True, 5, 0)
    assert result.message.endswith("five")
    samples = images(cell, "five")
    assert [s.name for s in samples] == [f"five-{i:05d}" for i in range(5)]
    assert (cell.sessions / "five" / "background.png").is_file()
    frames = truth(cell)
    where = {stamp: i for i, (stamp, _) in enumerate(frames)}
    for sample in samples:
        assert (sample.split, sample.size.width, sample.size.height) == ("train", 640, 480)
        i = where[sample.record["stamp_ns"]]
        true = frames[i][1]
        # Noise of 0.02 degrees a joint, and interpolation between two readings of it.
        np.testing.assert_allclose(joint_vector(sample.record["joints"]), true, atol=np.deg2rad(0.11))
    assert seen[-1].captured == 5
    assert seen[-1].count == 5
    assert seen[-1].images_per_minute > 0


def test_an_image_is_taken_after_the_arm_has_come_to_rest(cell):
    assert cell.capture.send(cell.session("rest", 3, seed=4)).wait(300)[1].success
    frames = truth(cell)
    for sample in images(cell, "rest"):
        at = next(i for i, (stamp, _) in enumerate(frames) if stamp == sample.record["stamp_ns"])
        before = [joints for stamp, joints in frames[:at] if stamp >= sample.record["stamp_ns"] - 0.14e9]
        for joints in before:
            np.testing.assert_allclose(joints, frames[at][1], atol=1e-6)


def test_a_paused_session_waits_and_goes_on(cell):
    pause = ServiceClient(cell.node, SetBool, "/cadsight/capture/pause")
    statistics = ServiceClient(cell.node, GetStatistics, "/cadsight/capture/get_statistics")
    refused = pause.call(SetBool.Request(data=True))
    assert (refused.success, refused.message[:21]) == (False, "no session is running")
    seen = []
    running = cell.capture.send(cell.session("paused", 4, seed=2), seen.append)
    until(lambda: seen and seen[-1].captured >= 1)
    assert pause.call(SetBool.Request(data=True)).success
    # An image that is in hand is still taken.
    assert still(lambda: len(images(cell, "paused"))) < 4
    status = statistics.call(GetStatistics.Request()).status
    assert status.message == "paused"
    assert {v.key: v.value for v in status.values}["count"] == "4"
    assert pause.call(SetBool.Request(data=False)).success
    assert running.wait(180)[1].captured == 4
    assert statistics.call(GetStatistics.Request()).status.message == "idle"


def test_a_cancelled_session_stops_and_is_continued_later(cell):
    seen = []
    running = cell.capture.send(cell.session("cancelled", 5, seed=3), seen.append)
    until(lambda: seen and seen[-1].captured >= 2)
    running.cancel(timeout_s=60.0)
    status, result = running.wait(60)
    assert status == GoalStatus.STATUS_CANCELED
    assert result.message == f"stopped with {result.captured} of 5 images"
    kept = [(s.name, s.record) for s in images(cell, "cancelled")]
    assert 2 <= len(kept) == result.captured < 5
    assert cell.capture.send(cell.session("cancelled", 5, seed=3)).wait(300)[1].captured == 5
    assert [(s.name, s.record) for s in images(cell, "cancelled")][: len(kept)] == kept
    given_up = (cell.sessions / "cancelled" / "session.json").read_text()
    assert [s.record["pose"] for s in images(cell, "cancelled")] == list(range(5)), given_up


def test_a_second_session_is_refused_while_one_runs(cell):
    running = cell.capture.send(cell.session("first", 2))
    result = cell.capture.send(cell.session("second", 2)).wait(60)[1]
    assert (result.success, result.message[:28]) == (False, "a session is running already")
    assert running.wait(180)[1].success


def test_the_command_line_captures_stops_cleanly_on_ctrl_c_and_goes_on(cell):
    words = [sys.executable, "-m", "cadsight_cli", "capture", "cli", "--count", "4", "--seed", "8"]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(cell.domain)}
    command = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: (cell.sessions / "cli" / "background.png").is_file() and len(images(cell, "cli")) >= 1)
        command.send_signal(signal.SIGINT)
        _, errors = command.communicate(timeout=180)
    finally:
        command.kill()
    assert command.returncode == 130
    assert errors.rstrip().endswith("cadsight: interrupted")
    kept = len(images(cell, "cli"))
    assert 1 <= kept < 4
    again = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert again.stdout.strip() == f"4 images in {cell.sessions / 'cli'}"
    assert [s.record["pose"] for s in images(cell, "cli")] == list(range(4))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folder": "../outside"}, "leads out of the folder"),
        ({"split": "trian"}, "parameter split is 'trian', expected one of train, valid, test"),
        ({"session": "a/b"}, "the session is called 'a/b'"),
        ({"count": 0}, "parameter count is 0"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused_in_a_sentence(cell, change, words):
    goal = cell.session("odd", 2)
    for name, value in change.items():
        setattr(goal, name, value)
    status, result = cell.capture.send(goal).wait(60)
    assert status == GoalStatus.STATUS_ABORTED
    assert words in result.message


def test_a_capture_node_that_is_killed_loses_at_most_the_image_in_hand(cell):
    seen = []
    cell.capture.send(cell.session("killed", 6, seed=6), seen.append)
    until(lambda: seen and seen[-1].captured >= 2)
    time.sleep(0.4)
    cell.programs["capture"].kill()
    kept = [(s.name, s.record) for s in images(cell, "killed")]
    assert len(kept) >= seen[-1].captured
    cell.start_capture()
    cell.wait_until_it_runs()
    time.sleep(2.0)
    assert cell.capture.send(cell.session("killed", 6, seed=6)).wait(300)[1].captured == 6
    samples = images(cell, "killed")
    assert [(s.name, s.record) for s in samples][: len(kept)] == kept
    assert [s.record["pose"] for s in samples] == list(range(6))
    assert all(read_image(s.image).shape == (480, 640, 3) for s in samples)


def still(value, seconds=4.0):
    """The value, once it has not changed for some time."""
    while (before := value()) != (time.sleep(seconds), value())[1]:
        pass
    return before
