"""`cadsight replay`: what it takes by default, and what it refuses before anything starts."""

import pytest
from cadsight_cli.main import build_parser, main
from cadsight_perception.parameters import ReplayParameters


def test_the_command_waits_as_long_and_paces_as_little_as_the_node_by_default():
    given = build_parser(["replay"]).parse_args(["replay", "bag"])
    assert (given.paced, given.timeout) == (ReplayParameters().paced, ReplayParameters().timeout_s) == (False, 60.0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rate", "2"], "--rate is 2 without --paced, expected both or none"),
        (["--paced", "--rate", "0"], "--rate is 0, expected a positive number"),
        (["--timeout", "-1"], "--timeout is -1, expected a positive number of seconds"),
    ],
)
def test_a_pace_or_a_time_that_makes_no_sense_is_refused(words, sentence, capsys):
    assert main(["replay", "bag", *words]) == 2
    assert capsys.readouterr().err == f"cadsight: {sentence}\n"
