import made_figures as made
import pytest
from cadsight_core.storage.folders.live_report import LiveFigures, ReplayVerdict
from cadsight_report.figures import InferenceFigures, ReplayFigures, SessionFigures
from cadsight_report.goals.targets import TARGETS, Figure, Target, verdicts

SESSION = SessionFigures(
    images=5,
    accepted=4,
    rejected=1,
    rejected_by_reason={},
    hand_eye={},
    seconds=1.0,
    iou_colour_vs_truth=0.96,
    iou_kinematic_vs_truth=0.98,
    normal_error_deg=0.25,
    wrong_kept=0,
)
FULL = made.run(
    labels=made.labels(wrong_kept=2, sessions={"test": SESSION}),
    detector=made.detector(map50=0.97, map50_95=0.85),
    normals=made.normals(mean_deg=5.5, median_deg=3.5),
    live=InferenceFigures(
        LiveFigures(frames=9, overhead_ms_p50=4.5, wrong_stamps=3, dropped_in_transport=1), 8, unknown_stamps=6
    ),
    replay=ReplayFigures(LiveFigures(frames=9), ReplayVerdict(True, 9)),
    seconds={"capture": 7.0, "train": 8.5},
)


def test_each_figure_stands_in_the_report_where_its_key_says():
    report = FULL.to_json()
    for figure in [*(t.figure for t in TARGETS), *(t.of for t in TARGETS if t.of)]:
        found = report
        for name in figure.key.split("."):
            found = found[name]
        assert found is not None, figure.key
        assert figure.value(FULL) == found, figure.key


def test_of_an_empty_run_nothing_was_measured():
    assert [verdict.met for verdict in verdicts(made.run())] == [None] * len(TARGETS)


@pytest.mark.parametrize(
    ("relation", "limit", "value", "met"),
    [
        ("at least", 0.95, 0.95, True),
        ("at least", 0.95, 0.9499999, False),
        ("at most", 6.0, 6.0, True),
        ("at most", 6.0, 6.0000001, False),
        ("at most", 0, 1, False),
        ("is", True, True, True),
        ("is", True, False, False),
        ("at least", 0.95, None, None),
    ],
)
def test_a_target_is_met_by_the_unrounded_value(relation, limit, value, met):
    target = Target(Figure("a.b", lambda run: value), "something", relation, limit)
    (verdict,) = verdicts(made.run(), (target,))
    assert (verdict.key, verdict.value, verdict.met) == ("a.b", value, met)


@pytest.mark.parametrize(("counted", "met"), [(0, None), (3, True), (None, True)])
def test_a_target_that_holds_for_nothing_was_not_measured(counted, met):
    target = Target(Figure("a.wrong", lambda run: 0), "wrong", "at most", 0, of=Figure("a.seen", lambda run: counted))
    (verdict,) = verdicts(made.run(), (target,))
    assert (verdict.of, verdict.met) == ("a.seen", met)
    assert (verdict.value is None) is (met is None)
