"""What `cadsight benchmark synthesis` asks for; that it measures is shown by running it."""

from cadsight_cli.main import build_parser


def test_the_benchmark_of_a_run_needs_no_word_and_that_of_synthesis_one():
    parser = build_parser(["benchmark"])
    assert parser.parse_args(["benchmark", "--run", "runs/mine"]).what == "run"
    args = parser.parse_args(["benchmark", "synthesis", "--json", "speeds.json"])
    assert (args.what, args.json, args.own_images) == ("synthesis", "speeds.json", None)
