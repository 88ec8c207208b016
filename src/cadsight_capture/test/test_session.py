"""The capture loop: what it writes, what it survives, what it says."""

import json
import multiprocessing
import os
import random
import sys
import threading
import time

import numpy as np
import pytest
from cadsight_capture.session import (
    Control,
    NotReadyError,
    Session,
    SessionParameters,
    SessionPlan,
    SilentError,
    SkippedError,
    StoppedError,
)
from cadsight_cell.arm import Arm, joint_vector
from cadsight_cell.motion.poses import PoseSampler
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.imaging.images import read_image
from drawn_cell import BACKGROUND, BASE_FROM_CAMERA, CAMERA, HOME, SPREAD, DrawnCell, image, run_and_report, session


def faults(table):
    """Raises table[(call, number)] before that call."""

    def fault(call, number):
        error = table.get((call, number))
        if error is not None:
            raise error

    return fault


def images(folder):
    return [s for s in Dataset.open(folder / "raw") if not s.record["background"]]


def test_every_image_shows_the_pose_of_its_record(tmp_path):
    progress = session(tmp_path, 4, DrawnCell(Control())).run()
    assert (progress.captured, progress.skipped) == (4, {})
    samples = images(tmp_path)
    assert [s.name for s in samples] == [f"drawn-{i:05d}" for i in range(4)]
    for i, sample in enumerate(samples):
        joints = joint_vector(sample.record["joints"])
        np.testing.assert_allclose(joints, PoseSampler(HOME, SPREAD, 1).pose(i)[0])
        np.testing.assert_array_equal(read_image(sample.image), image(joints))
        assert sample.camera == CAMERA
        assert sample.split == "train"
        assert sample.record | {"joints": 0, "stamp_ns": 0, "base_from_camera": 0, "base_from_tool": 0} == {
            "session": "drawn",
            "seed": 1,
            "pose": i,
            "redrawn": {},
            "background": False,
            "joints": 0,
            "stamp_ns": 0,
            "base_from_camera": 0,
            "base_from_tool": 0,
        }
        base_from_tool = Pose.from_json(sample.record["base_from_tool"])
        np.testing.assert_allclose(base_from_tool.matrix, Arm().forward(joints).matrix, atol=1e-12)
        base_from_camera = Pose.from_json(sample.record["base_from_camera"])
        np.testing.assert_allclose(base_from_camera.matrix, BASE_FROM_CAMERA.matrix, atol=1e-12)
    stamps = [s.record["stamp_ns"] for s in samples]
    assert stamps == sorted(set(stamps))


def test_the_first_frame_is_the_background_with_the_arm_out_of_view(tmp_path):
    cell = DrawnCell(Control())
    session(tmp_path, 1, cell).run()
    np.testing.assert_array_equal(cell.moves[0], BACKGROUND)
    first = next(iter(Dataset.open(tmp_path / "raw")))
    assert first.record["background"]
    np.testing.assert_array_equal(read_image(tmp_path / "background.png"), image(BACKGROUND))


def test_poses_that_fail_are_counted_by_reason_and_the_next_ones_taken(tmp_path):
    # Call 1 of each is the background's.
    table = {
        ("move", 2): SkippedError("aborted", "the controller aborted"),
        ("move", 4): SkippedError("colliding", "a wall"),
        ("settle", 3): SkippedError("unsettled", "it shook"),
        ("image", 2): SkippedError("camera_info", "it does not fit"),
        ("move", 6): SkippedError("aborted", "again"),
    }
    seen = []
    cell = DrawnCell(Control(), faults(table))
    progress = session(tmp_path, 3, cell, report=seen.append).run()
    assert progress.captured == 3
    assert progress.skipped == {"aborted": 2, "colliding": 1, "unsettled": 1, "camera_info": 1}
    kept = [s.record["pose"] for s in images(tmp_path)]
    assert len(kept) == 3
    assert set(kept).isdisjoint(map(int, json.loads((tmp_path / "session.json").read_text())["skipped"]))
    assert [p.last_skip for p in seen][:2] == ["the controller aborted", "it does not fit"]


def test_a_silent_camera_is_waited_for_and_the_same_pose_taken(tmp_path):
    silent = SilentError("camera_silent", "no image came")
    cell = DrawnCell(Control(), faults({("image", 3): silent, ("image", 4): silent}))
    progress = session(tmp_path, 3, cell).run()
    assert progress.captured == 3
    assert progress.skipped == {"camera_silent": 2}
    assert [s.record["pose"] for s in images(tmp_path)] == [0, 1, 2]
    assert len(cell.moves) == 4


def test_an_arm_that_is_silent_is_waited_for_and_then_moved(tmp_path):
    silent = SilentError("arm_silent", "no joint state came")
    cell = DrawnCell(Control(), faults({("move", 1): silent, ("move", 4): silent, ("settle", 4): silent}))
    progress = session(tmp_path, 3, cell).run()
    assert progress.skipped == {"arm_silent": 3}
    assert [s.record["pose"] for s in images(tmp_path)] == [0, 1, 2]
    assert len(cell.moves) == 4


def test_a_background_that_cannot_be_reached_ends_the_session_after_some_tries(tmp_path):
    aborted = SkippedError("aborted", "the controller aborted")
    cell = DrawnCell(Control(), lambda call, number: (_ for _ in ()).throw(aborted) if call == "move" else None)
    with pytest.raises(CadsightError, match="the background could not be taken: the controller aborted"):
        session(tmp_path, 3, cell).run()
    assert cell.calls["move"] == 3


def test_failures_without_end_end_the_session_and_keep_what_was_taken(tmp_path):
    def fault(call, number):
        if call == "move" and number > 3:
            raise SkippedError("refused", "the controller is gone")

    parameters = SessionParameters(failures_in_a_row=5, retry_s=0.0)
    with pytest.raises(CadsightError, match="5 poses in a row were given up, the last because the controller is gone"):
        session(tmp_path, 9, DrawnCell(Control(), fault), parameters=parameters).run()
    assert len(images(tmp_path)) == 2


def test_poses_that_cannot_be_sampled_are_counted(tmp_path):
    cell = DrawnCell(Control())
    made = Session(
        tmp_path,
        ("plate",),
        SessionPlan("drawn", "train", 2, 1),
        cell,
        BACKGROUND,
        lambda camera, pose: PoseSampler(HOME, SPREAD, 1, lambda joints: "out_of_view", max_tries=3),
        parameters=SessionParameters(failures_in_a_row=4, retry_s=0.0),
    )
    with pytest.raises(CadsightError, match=r"4 poses in a row were given up.*3 out_of_view"):
        made.run()
    assert made.skipped == {"no_pose": 4}


def test_a_stopped_session_is_continued_with_the_poses_it_would_have_had(tmp_path):
    control = Control()

    def stop_at_three(progress):
        if progress.captured == 3:
            control.stop()

    with pytest.raises(StoppedError):
        session(tmp_path / "stopped", 6, DrawnCell(control), report=stop_at_three).run()
    assert 3 <= len(images(tmp_path / "stopped")) < 6
    session(tmp_path / "stopped", 6, DrawnCell(Control())).run()
    session(tmp_path / "whole", 6, DrawnCell(Control())).run()
    both = [
        [(s.name, s.record["joints"], s.record["pose"]) for s in images(tmp_path / name)]
        for name in ("stopped", "whole")
    ]
    assert both[0] == both[1]


def test_a_finished_session_is_left_alone(tmp_path):
    session(tmp_path, 2, DrawnCell(Control())).run()
    cell = DrawnCell(Control())
    before = Dataset.open(tmp_path / "raw").fingerprint()
    assert session(tmp_path, 2, cell).run().captured == 2
    assert cell.moves == []
    assert Dataset.open(tmp_path / "raw").fingerprint() == before


def test_another_seed_does_not_continue_a_session(tmp_path):
    session(tmp_path, 1, DrawnCell(Control())).run()
    with pytest.raises(CadsightError, match="was begun with seed 1 and 2 came"):
        session(tmp_path, 2, DrawnCell(Control()), seed=2)


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is not JSON"), ("[]", "holds a list"), ("{}", "has the format None")]
)
def test_a_broken_session_file_is_named(tmp_path, content, words):
    (tmp_path / "session.json").write_text(content)
    with pytest.raises(CadsightError, match=words):
        session(tmp_path, 1, DrawnCell(Control()))


def test_an_image_of_others_is_not_taken_for_the_background(tmp_path):
    (tmp_path / "background.png").write_bytes(b"mine")
    with pytest.raises(CadsightError, match=r"background\.png is there and no session, expected another folder"):
        session(tmp_path, 1, DrawnCell(Control()))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("background.png", b"mine")]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"session": "a/b"}, "called 'a/b'"),
        ({"session": ""}, "called ''"),
        ({"session": "a", "split": "trian"}, "split is 'trian', expected one of train, valid, test"),
        ({"session": "a", "count": 0}, "count is 0"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(plan, words):
    with pytest.raises(CadsightError, match=words):
        SessionPlan(**plan)


def test_a_full_disk_ends_the_session_in_a_sentence_with_everything_before_kept(tmp_path, monkeypatch):
    import cadsight_core.storage.files as files

    fsync, calls = files.os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 12:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    made = session(tmp_path, 50, DrawnCell(Control()))
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CadsightError, match="No space left on device"):
        made.run()
    monkeypatch.undo()
    before = [s.name for s in images(tmp_path)]
    assert 1 <= len(before) < 50
    session(tmp_path, len(before) + 2, DrawnCell(Control())).run()
    after = images(tmp_path)
    assert [s.name for s in after[: len(before)]] == before
    assert [s.record["pose"] for s in after] == list(range(len(before) + 2))


def test_a_paused_session_takes_nothing_until_it_goes_on(tmp_path):
    control, reached = Control(), threading.Event()

    def pause_at_two(progress):
        if progress.captured == 2 and not reached.is_set():
            control.pause(True)
            reached.set()

    made = session(tmp_path, 6, DrawnCell(control), report=pause_at_two)
    thread = threading.Thread(target=made.run)
    thread.start()
    assert reached.wait(10)
    time.sleep(0.3)
    held = made.captured
    time.sleep(0.3)
    assert made.captured == held <= 4
    control.pause(False)
    thread.join(10)
    assert made.captured == 6


def test_killed_twenty_times_it_has_no_broken_sample_and_lost_none_but_the_one_in_hand(tmp_path, monkeypatch):
    # The server that the processes are forked from imports once what they need; it looks in PYTHONPATH alone.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["drawn_cell"])
    generator = random.Random(7)
    kills = known = 0
    while kills < 20:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=run_and_report, args=(str(tmp_path), 10_000, theirs), daemon=True)
        process.start()
        theirs.close()
        # The session tells where it stands as it begins to run: from there on it is killed at any moment.
        assert ours.poll(30)
        time.sleep(generator.uniform(0.0, 0.3))
        process.kill()
        process.join()
        try:
            while True:
                known = ours.recv()
        except EOFError:
            pass
        kills += 1
        dataset = Dataset.open(tmp_path / "raw")
        on_disk = [s for s in dataset if not s.record["background"]]
        assert len(on_disk) >= known
        assert [s.record["pose"] for s in on_disk] == list(range(len(on_disk)))
        assert sorted(p.name for p in (tmp_path / "raw" / "images").iterdir()) == sorted(
            f"{n}.png" for n in dataset.names
        )
    assert known > 20
    for sample in Dataset.open(tmp_path / "raw"):
        np.testing.assert_array_equal(read_image(sample.image), image(joint_vector(sample.record["joints"])))
    json.loads((tmp_path / "session.json").read_text())


def test_a_stopped_arm_is_asked_again_until_it_is_released_and_the_stop_counts_once(tmp_path):
    stopped = NotReadyError("not_ready", "a protective stop: unlock it")
    table = {("move", 3): stopped, ("move", 4): stopped, ("move", 5): NotReadyError("not_ready", "paused: play")}
    seen = []
    cell = DrawnCell(Control(), faults(table))
    parameters = SessionParameters(retry_s=0.0)
    progress = session(tmp_path, 3, cell, report=seen.append, parameters=parameters).run()
    assert (progress.captured, progress.skipped, progress.waiting) == (3, {"not_ready": 1}, False)
    assert [s.record["pose"] for s in images(tmp_path)] == [0, 1, 2]
    assert [p.last_skip for p in seen if p.waiting] == ["a protective stop: unlock it", "paused: play"]


def test_a_stopped_arm_is_asked_again_when_the_service_is_called_where_the_session_is_to_wait_for_it(tmp_path):
    control = Control()
    cell = DrawnCell(control, faults({("move", 2): NotReadyError("not_ready", "a protective stop: unlock it")}))
    waits = threading.Event()

    def report(progress):
        if progress.waiting:
            waits.set()

    parameters = SessionParameters(after_stop="service", retry_s=0.0)
    made = session(tmp_path, 2, cell, report=report, parameters=parameters)
    thread = threading.Thread(target=made.run)
    thread.start()
    assert waits.wait(60)
    while not control.paused:
        time.sleep(0.01)
    assert cell.calls["move"] == 2
    control.pause(False)
    thread.join(60)
    assert [s.record["pose"] for s in images(tmp_path)] == [0, 1]
