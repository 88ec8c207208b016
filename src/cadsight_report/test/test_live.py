import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from cadsight_core.geometry import Pose
from cadsight_core.part import Part, Symmetry
from cadsight_core.run_folder import RunFolder
from cadsight_report.live import latencies, live_errors, live_figures, replay_figures


@dataclass
class Turning:
    """A part that looks at the camera at stamp 10 and is turned by 30 degrees about x at stamp 20."""

    part: Part = field(default_factory=lambda: Part(name="bracket", axis_of_interest=(0.0, 0.0, 1.0)))
    stamps = (10, 20)

    def pose(self, stamp_ns):
        turn = {10: 180.0, 20: 150.0}[stamp_ns]
        return Pose.from_rotvec([np.radians(turn), 0.0, 0.0])


def seen(normal, score=0.9):
    return {"class_id": "bracket", "score": score, "box": [0, 0, 1, 1], "normal": normal}


def test_live_normals_are_compared_with_where_the_part_was_at_their_stamp():
    at_camera = [0.0, 0.0, -1.0]
    results = [
        {"stamp_ns": 10, "detections": [seen([1.0, 0.0, 0.0], 0.6), seen(at_camera)]},
        {"stamp_ns": 20, "detections": [seen(at_camera)]},
        {"stamp_ns": 20, "detections": [seen(None)]},
        {"stamp_ns": 20, "detections": []},
        {"stamp_ns": 15, "detections": [seen(at_camera)]},
    ]
    figures = live_errors(results, Turning())
    assert figures["unknown_stamps"] == 1
    assert figures["normal_mean_deg"] == pytest.approx(15.0)
    assert figures["normal_median_deg"] == pytest.approx(15.0)


def test_a_live_normal_that_looks_the_same_on_a_symmetric_part_is_no_error():
    away = [{"stamp_ns": 10, "detections": [seen([0.0, 0.0, 1.0])]}]
    flat = Part(name="bracket", symmetry=(Symmetry(axis=(1.0, 0.0, 0.0), order=2),))
    assert live_errors(away, Turning())["normal_mean_deg"] == pytest.approx(180.0)
    assert live_errors(away, Turning(flat))["normal_mean_deg"] == pytest.approx(0.0, abs=1e-6)


def test_nothing_seen_live_has_no_error():
    assert live_errors([{"stamp_ns": 10, "detections": []}], Turning()) == {"unknown_stamps": 0}


def test_the_numbers_of_the_nodes_reports_are_taken_and_their_lists_are_not(tmp_path):
    run = RunFolder(tmp_path)
    assert live_figures(run) is None
    assert replay_figures(run) is None
    assert latencies(run) == []
    run.live.mkdir()
    results = [
        {"stamp_ns": 1, "latency_ms": 40.0, "detections": []},
        {"stamp_ns": 2, "latency_ms": 50.0, "detections": [{"score": 0.9}]},
    ]
    (run.live / "live.json").write_text(json.dumps({"frames": 2, "dropped": 0, "results": results}))
    comparison = {"equal": False, "compared": 2, "differences": ["image 1: box"]}
    (run.live / "replay.json").write_text(json.dumps({"frames": 2, **comparison}))
    assert live_figures(run) == {"frames": 2, "dropped": 0, "detected": 1}
    assert latencies(run) == [40.0, 50.0]
    assert replay_figures(run) == {"frames": 2, "equal": False, "compared": 2, "differences": ["image 1: box"]}
