import pytest
from cadsight_cli.demo.pace import Usual, slowness
from cadsight_cli.demo.progress import paced, training_bar
from cadsight_learning.training.progress import StepReport

USUAL = Usual(0.5, "--train 100 in another --out")


def test_a_machine_at_up_to_half_of_the_usual_pace_is_told_nothing():
    assert slowness(USUAL, 1.0, 600.0) is None


def test_a_slow_machine_is_told_how_long_it_takes_and_what_would_save():
    sentence = slowness(USUAL, 2.0, 1200.0)
    assert sentence is not None
    assert "at about 1/4 of the usual pace now, about 20 minutes instead of 5 minutes" in sentence
    assert "--train 100 in another --out would save about 10 minutes" in sentence
    assert "--quick" in sentence


@pytest.mark.parametrize(("step_seconds", "lines"), [(2.0, 1), (0.5, 0)])
def test_it_is_said_once_and_the_time_left_is_shown(capsys, step_seconds, lines):
    with training_bar("train") as progress_bar:
        step = paced(progress_bar, USUAL)
        for fraction in (0.1, 0.4):
            step(StepReport(fraction, step_seconds, 90.0))
    captured = capsys.readouterr()
    assert captured.out.count("usual pace") == lines
    assert "left=01:30" in captured.err
