"""`cadsight replay`: what it takes by default, and what it refuses before anything starts."""

import json

import pytest
from cadsight_cli.main import build_parser, main
from cadsight_core.storage.folders.live_report import LiveFigures, LiveReport, Replayed, ReplayVerdict
from cadsight_perception.parameters import ReplayParameters

NOTHING = LiveReport(LiveFigures(frames=0), ())


def test_the_command_waits_as_long_and_paces_as_little_as_the_node_by_default():
    parser = build_parser(["replay"])
    given = parser.parse_args(["replay", "runs/demo/live/bag"])
    # What is left out is the node's own: see the command.
    assert (given.paced, given.timeout) == (ReplayParameters().paced, None)
    assert ReplayParameters().timeout_s == 60.0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rate", "2"], "--rate was given and does nothing without --paced, expected it left out"),
    ],
)
def test_a_pace_or_a_time_that_makes_no_sense_is_refused(words, sentence, capsys):
    assert main(["replay", "bag", *words]) == 2
    assert capsys.readouterr().err == f"cadsight: {sentence}\n"


@pytest.mark.parametrize(("equal", "status", "words"), [(True, 0, "equal to"), (False, 1, "NOT equal to")])
def test_a_verdict_is_read_from_the_report_without_playing_anything(tmp_path, capsys, equal, status, words):
    file = tmp_path / "replay.json"
    verdict = ReplayVerdict(equal, compared=3, live_results=4, different=0 if equal else 1)
    file.write_text(json.dumps(Replayed(NOTHING, verdict).to_json()))
    assert main(["replay", "--check", str(file)]) == status
    assert capsys.readouterr().out.startswith(f"{words} the live run: 3 of 4 live results compared")


def test_a_report_that_was_compared_with_nothing_and_no_bag_at_all_are_refused(tmp_path, capsys):
    file = tmp_path / "replay.json"
    file.write_text(json.dumps(Replayed(NOTHING).to_json()))
    assert main(["replay", "--check", str(file)]) == 2
    assert "was compared with no live run" in capsys.readouterr().err
    assert main(["replay"]) == 2
    assert "either BAG to play or --check JSON" in capsys.readouterr().err
