"""A session goes on when motions break off and the camera falls silent."""

import json

import pytest
from cadsight_core.datasets.dataset import Dataset
from cell_nodes import running_cell

SILENCE_S = 5.0


def capture_through_the_silence(folder, delay_s):
    """A session that runs until the camera has been silent; None where it was so before the session began."""
    # Every fourth trajectory breaks off half-way.
    faults = {"fault_abort_every": 4, "fault_camera_silent_after_s": delay_s, "fault_camera_silent_s": SILENCE_S}
    folder.mkdir()
    with running_cell(folder, faults, silence_s=2.0) as cell:
        seen, count = [], 5
        while True:
            result = cell.capture.send(cell.session("faults", count, seed=7), seen.append).wait(300)[1]
            assert (result.success, result.captured) == (True, count)
            stamps = [json.loads(line)["stamp_ns"] for line in (cell.truth / "frames.jsonl").read_text().splitlines()]
            gap = next((i for i in range(1, len(stamps)) if stamps[i] - stamps[i - 1] > 0.9e9 * SILENCE_S), None)
            if gap is not None:
                break
            count += 3
        background = next(iter(Dataset.open(cell.sessions / "faults" / "raw")))
    begun_before = background.record["stamp_ns"] < stamps[gap - 1] - 1e9
    return (cell, seen) if begun_before else None


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    # A machine that starts slowly begins its session after the first delay: the next one is longer.
    for delay_s in (20.0, 60.0, 120.0):
        run = capture_through_the_silence(folder / f"{delay_s:g}", delay_s)
        if run is not None:
            return run
    return pytest.fail("no session had begun 120 s after the camera")


def test_a_camera_that_is_silent_for_five_seconds_is_waited_for(run):
    _, seen = run
    skips = [f.last_skip for f in seen]
    assert any("no image came on /camera/camera/color/image_raw for 2 s" in sentence for sentence in skips)
    assert seen[-1].captured == seen[-1].count


def test_motions_that_break_off_are_counted_and_the_next_pose_is_taken(run):
    cell, seen = run
    assert any("PATH_TOLERANCE_VIOLATED" in f.last_skip for f in seen)
    skipped = json.loads((cell.sessions / "faults" / "session.json").read_text())["skipped"]
    assert set(skipped.values()) == {"aborted"}
    poses = [s.record["pose"] for s in Dataset.open(cell.sessions / "faults" / "raw") if not s.record["background"]]
    assert sorted(poses + list(map(int, skipped))) == list(range(len(poses) + len(skipped)))
