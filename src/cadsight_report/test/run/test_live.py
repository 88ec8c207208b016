import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from cadsight_core.geometry import Pose
from cadsight_core.parts.part import Part, Symmetry
from cadsight_core.storage.folders.live_report import Frame, LiveFigures, LiveReport, Replayed, ReplayVerdict, Seen
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_report.figures import InferenceFigures, ReplayFigures
from cadsight_report.run.live import live_figures, live_report, replay_figures, with_errors


@dataclass
class Turning:
    """A part that looks at the camera at stamp 10 and is turned by 30 degrees about x at stamp 20."""

    part: Part = field(default_factory=lambda: Part(name="bracket", axis_of_interest=(0.0, 0.0, 1.0)))
    stamps = (10, 20)

    def pose(self, stamp_ns):
        turn = {10: 180.0, 20: 150.0}[stamp_ns]
        return Pose.from_rotvec([np.radians(turn), 0.0, 0.0])


def seen(normal, score=0.9):
    return Seen("bracket", score, (0.0, 0.0, 1.0, 1.0), normal)


def frame(stamp_ns, *detections, latency_ms=40.0):
    return Frame(stamp_ns, stamp_ns, stamp_ns, latency_ms, 20.0, 5.0, detections)


def errors(results, truth):
    return with_errors(InferenceFigures(LiveFigures(frames=len(results))), results, truth)


def test_live_normals_are_compared_with_where_the_part_was_at_their_stamp():
    at_camera = (0.0, 0.0, -1.0)
    results = [
        frame(10, seen((1.0, 0.0, 0.0), 0.6), seen(at_camera)),
        frame(20, seen(at_camera)),
        frame(20, seen(None)),
        frame(20),
        frame(15, seen(at_camera)),
    ]
    figures = errors(results, Turning())
    assert figures.unknown_stamps == 1
    assert figures.normal_mean_deg == pytest.approx(15.0)
    assert figures.normal_median_deg == pytest.approx(15.0)


def test_a_live_normal_that_looks_the_same_on_a_symmetric_part_is_no_error():
    away = [frame(10, seen((0.0, 0.0, 1.0)))]
    flat = Part(name="bracket", symmetry=(Symmetry(axis=(1.0, 0.0, 0.0), order=2),))
    assert errors(away, Turning()).normal_mean_deg == pytest.approx(180.0)
    assert errors(away, Turning(flat)).normal_mean_deg == pytest.approx(0.0, abs=1e-6)


def test_nothing_seen_live_has_no_error():
    figures = errors([frame(10)], Turning())
    assert (figures.unknown_stamps, figures.normal_mean_deg) == (0, None)
    assert figures.to_json() == {"frames": 1, "unknown_stamps": 0}


def test_the_figures_of_the_nodes_reports_are_taken_and_their_lists_are_not(tmp_path):
    run = RunFolder(tmp_path)
    assert live_figures(run) is None
    assert replay_figures(run) is None
    assert live_report(run) is None
    run.live.mkdir()
    report = LiveReport(LiveFigures(frames=2, dropped=0), (frame(1), frame(2, seen(None), latency_ms=50.0)))
    (run.live / "live.json").write_text(json.dumps(report.to_json()))
    verdict = ReplayVerdict(False, 2, differences=("image 1: box",))
    (run.live / "replay.json").write_text(json.dumps(Replayed(report, verdict).to_json()))
    assert live_figures(run) == InferenceFigures(report.figures, detected=1)
    assert live_figures(run).to_json() == {"frames": 2, "dropped": 0, "detected": 1}
    assert live_report(run).latencies_ms == (40.0, 50.0)
    assert replay_figures(run) == ReplayFigures(report.figures, verdict)
    assert replay_figures(run).to_json() == {
        "equal": False, "compared": 2, "frames": 2, "dropped": 0, "differences": ["image 1: box"],
    }  # fmt: skip
