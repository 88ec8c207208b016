import json

import pytest
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.live_report import (
    LiveFigures,
    ReplayVerdict,
    is_live_report,
    read_live_report,
    read_replayed,
)

# As `cadsight replay` wrote it before there were these classes, of one image.
STORED = {
    "equal": False, "compared": 1, "live_results": 2, "only_live": 1, "only_replay": 0, "different": 1,
    "differences": ["image 1000: detection 0's box is 5 apart"], "frames": 1, "detections": 1, "dropped": 0,
    "dropped_in_slot": 0, "dropped_in_transport": 0, "wrong_stamps": 0, "seconds": 0.0, "latency_ms_p50": 31.5,
    "latency_ms_p99": 31.5, "overhead_ms_p50": 6.5, "overhead_ms_p99": 6.5, "detector_ms_p50": 20.0,
    "detector_ms_p99": 20.0, "regressor_ms_p50": 5.0, "regressor_ms_p99": 5.0, "latencies_ms": [31.5],
    "results": [{
        "stamp_ns": 1000, "received_ns": 1001, "published_ns": 1002, "latency_ms": 31.5, "detector_ms": 20.0,
        "regressor_ms": 5.0, "detections": [
            {"class_id": "bracket", "score": 0.9, "box": [10.0, 20.0, 50.0, 60.0], "normal": [0.0, 0.0, -1.0]},
        ],
    }],
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    replay_file = tmp_path / "replay.json"
    replay_file.write_text(json.dumps(STORED))
    return replay_file


def test_what_was_stored_is_read_and_written_again_byte_by_byte(path):
    replayed = read_replayed(path)
    assert json.dumps(replayed.to_json()) == json.dumps(STORED)
    assert is_live_report(path.read_bytes())
    assert replayed.report == read_live_report(path)
    (frame,) = replayed.report.results
    assert (frame.overhead_ms, frame.detections[0].box) == (6.5, (10.0, 20.0, 50.0, 60.0))


def test_values_that_earlier_versions_did_not_write_are_none_and_stay_out_of_the_file():
    figures = LiveFigures.from_json({"frames": 3, "dropped": 1})
    assert (figures.frames, figures.dropped, figures.dropped_in_transport) == (3, 1, None)
    assert figures.to_json() == {"frames": 3, "dropped": 1}
    verdict = ReplayVerdict.from_json({"equal": True, "compared": 2})
    assert verdict.to_json() == {"equal": True, "compared": 2, "differences": []}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"results": 3}', '{"results": []}', '{"frames": 1, "results": [{}]}']
)
def test_a_file_that_is_no_report_is_refused(tmp_path, text):
    (tmp_path / "live.json").write_text(text)
    with pytest.raises(CadsightError, match=r"live\.json.* expected"):
        read_live_report(tmp_path / "live.json")


def test_a_report_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CadsightError, match="nowhere could not be read"):
        read_live_report(tmp_path / "nowhere")
