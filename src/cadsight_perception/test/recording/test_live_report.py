import dataclasses
import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.live_report import Frame, LiveReport, ReplayVerdict, Seen
from cadsight_perception.recording.live_report import checked_report, compare, compared_with, summarise

MS = 1_000_000
PART = Seen("bracket", 0.9, (10.0, 20.0, 50.0, 60.0), (0.0, 0.0, -1.0))


def frame(stamp_ms: int, latency: float = 30.0, seen: tuple[Seen, ...] = (PART,)) -> Frame:
    stamp = stamp_ms * MS
    return Frame(stamp, stamp + 2 * MS, stamp + 2 * MS + int(latency * MS), latency, 20.0, 5.0, seen)


def test_a_report_counts_what_was_seen_and_what_was_not():
    frames = [frame(300, 40.0), frame(0, 30.0), frame(100, 31.0)]
    # Of five images between the first and the last frame two were not processed; one of them gave way in the node.
    stamps = [-100 * MS, 0, 100 * MS, 150 * MS, 200 * MS, 300 * MS, 400 * MS]
    report = summarise(frames, stamps, pushed_out=1, wrong_stamps=0, live=True)
    assert (report.figures.frames, report.figures.detections, report.figures.seconds) == (3, 3, 0.3)
    assert (report.figures.dropped, report.figures.dropped_in_slot, report.figures.dropped_in_transport) == (2, 1, 1)
    assert report.figures.latency_ms_p50 == 31.0
    assert report.figures.latency_ms_p99 == pytest.approx(31.0 + 0.98 * 9.0)
    assert report.figures.overhead_ms_p50 == 6.0
    assert (report.figures.detector_ms_p50, report.figures.regressor_ms_p50) == (20.0, 5.0)
    assert (report.figures.transport_ms_p50, report.figures.age_ms_p50) == (2.0, 33.0)
    assert report.latencies_ms == (30.0, 31.0, 40.0)


def test_a_replay_has_no_age():
    report = summarise([frame(0)], [0], 0, 0, live=False)
    assert report.figures.age_ms_p50 is None
    assert "age_ms_p50" not in report.to_json()


def test_no_frame_at_all_is_an_error_that_names_what_is_missing():
    with pytest.raises(CadsightError, match="no result came for 2 images, expected the perception node to be active"):
        summarise([], [1, 2], 0, 0, live=True)


def reported(*frames: Frame) -> LiveReport:
    return summarise(frames, [f.stamp_ns for f in frames], 0, 0, live=True)


def test_reports_are_equal_up_to_dropped_frames():
    verdict = compare(reported(frame(0), frame(100), frame(200)), reported(frame(100), frame(200, 99.0), frame(300)))
    assert verdict == ReplayVerdict(
        equal=True, compared=2, live_results=3, only_live=1, only_replay=1, different=0, differences=()
    )


def test_reports_without_a_common_image_are_not_equal():
    assert compare(reported(frame(0)), reported(frame(100))).equal is False


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ((), "1 detections live and 0 in the replay"),
        ((dataclasses.replace(PART, class_id="plate"),), "is a bracket live and a plate in the replay"),
        ((dataclasses.replace(PART, box=(10.0, 20.0, 50.0, 60.2)),), "detection 0's box is 0.2 apart"),
        ((dataclasses.replace(PART, score=0.91),), "detection 0's score is 0.01 apart"),
        ((dataclasses.replace(PART, normal=(0.0, 1.0, 0.0)),), "detection 0's normal is 90 degrees apart"),
        ((dataclasses.replace(PART, normal=None),), "has a normal in one of the two only"),
    ],
)
def test_differences_are_listed_with_their_image(other, sentence):
    verdict = compare(reported(frame(0), frame(100)), reported(frame(0), frame(100, seen=other)))
    assert (verdict.equal, verdict.different, verdict.compared) == (False, 1, 2)
    assert verdict.differences == (f"image {100 * MS}: {verdict.differences[0].partition(': ')[2]}",)
    assert sentence in verdict.differences[0]


def test_rounding_is_no_difference():
    near = dataclasses.replace(PART, box=(10.01, 20.0, 50.0, 60.0), score=0.9001, normal=(0.0, 1e-4, -1.0))
    assert compare(reported(frame(0)), reported(frame(0, seen=(near,)))).equal is True


def test_a_replay_that_was_compared_with_a_live_run_is_checked_by_its_file(tmp_path):
    report, path = reported(frame(0)), tmp_path / "replay.json"
    replayed = compared_with(report, report)
    path.write_text(json.dumps(replayed.to_json()))
    assert checked_report(path) == replayed.verdict
    path.write_text(json.dumps(compared_with(None, report).to_json()))
    with pytest.raises(CadsightError, match="was compared with no live run, expected a replay with a live report"):
        checked_report(path)
