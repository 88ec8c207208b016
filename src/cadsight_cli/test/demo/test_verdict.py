from dataclasses import replace

import made_figures as made
import pytest
from cadsight_cli.demo.settings import DemoSettings
from cadsight_cli.demo.verdict import verdict
from cadsight_core.storage.folders.live_report import LiveFigures, ReplayVerdict
from cadsight_report.figures import ReplayFigures
from cadsight_report.goals.targets import verdicts

GOOD = made.run(
    detector=made.detector(map50=0.99, map50_95=0.9),
    normals=made.normals(mean_deg=7.0, median_deg=3.0),
    live=made.live_figures(detected=0, dropped_in_transport=0, overhead_ms_p50=1.0),
    replay=ReplayFigures(LiveFigures(frames=50), ReplayVerdict(True, 50)),
    seconds={"all": 700.0},
)


def sentences(figures, settings=None, quick=False):
    evaluated = replace(figures, targets=verdicts(figures))
    return verdict(evaluated, settings or DemoSettings(detector_epochs=4), quick)


def test_each_target_is_said_to_be_met_or_missed_and_what_holds_for_nothing_is_not_counted():
    lines, finds = sentences(GOOD)
    assert finds
    assert lines[-1] == "4 of 5 targets met, 9 not measured"
    by_word = [line.split("  ")[0] for line in lines[:-1]]
    assert (by_word.count("met"), by_word.count("missed"), by_word.count("not measured")) == (4, 1, 9)
    missed = next(line for line in lines if line.startswith("missed"))
    assert " ".join(missed.split()) == "missed normals, mean error 7 at most 6 degrees"


def test_a_detector_that_finds_nothing_is_told_with_what_to_type():
    lines, finds = sentences(replace(GOOD, detector=made.detector(map50=0.0, map50_95=0.0, recall=0.0)))
    assert not finds
    assert lines[-1].startswith("useless: the detector finds nothing (mAP50 0, of use from 0.5): train longer with ")
    assert lines[-1].endswith("--detector-epochs 12")


def test_a_training_that_a_limit_of_time_ended_is_to_be_had_without_it():
    lines, finds = sentences(
        replace(GOOD, normals=made.normals(19.0, 18.0)),
        DemoSettings(normals_epochs=10, normals_seconds=5.0),
    )
    assert not finds
    assert lines[-1].endswith("--normals-epochs 30 --normals-seconds 0")


@pytest.mark.parametrize("map50", [0.0, 0.99])
def test_a_quick_run_means_nothing_and_is_not_held_to_anything(map50):
    lines, finds = sentences(replace(GOOD, detector=made.detector(map50=map50, recall=0.0)), quick=True)
    assert finds
    assert lines[-1] == "--quick shows that all of it runs: these figures mean nothing"


def test_a_model_that_was_not_evaluated_is_not_told_to_train_longer():
    lines, finds = sentences(replace(GOOD, normals=None))
    assert not finds
    assert lines[-1] == "useless: the regressor of normals was not evaluated: the report says what is missing"
