"""What `cadsight benchmark synthesis` asks for; that it measures is shown by running it."""

import pytest
from cadsight_cli.main import build_parser
from cadsight_core.errors import CadsightError


def test_the_benchmark_of_a_run_needs_no_word_and_that_of_synthesis_one():
    parser = build_parser(["benchmark"])
    assert parser.parse_args(["benchmark", "--run", "runs/mine"]).what == "run"
    args = parser.parse_args(["benchmark", "synthesis", "--json", "speeds.json"])
    assert (args.what, args.json, args.pictures) == ("synthesis", "speeds.json", None)


def test_no_pictures_are_refused_before_anything_is_drawn():
    args = build_parser(["benchmark"]).parse_args(["benchmark", "synthesis", "--pictures", "0"])
    with pytest.raises(CadsightError, match="pictures is 0"):
        args.run(args)
