"""Every option of every command, found by walking the parsers: what is out of range is refused where it is typed."""

import argparse
import json
from collections.abc import Iterator

import pytest
from cadsight_cli.arguments.types import number, text, whole
from cadsight_cli.commands.data.convert import datumaro_format
from cadsight_cli.main import build_parser, main
from cadsight_core.errors import CadsightError

# Numeric options that may be 0; every other one must refuse it.
ZERO = {
    "benchmark motions --fault-fraction", "calibrate hand-eye --seed",
    "capture --seed", "compose --seed", "data annotate --copies", "data annotate --seed", "data augment --seed",
    "data check --few", "data convert --seed", "data show --seed", "demo --seed", "demo --detector-seconds",
    "demo --lamp-moves-every", "demo --normals-drawn", "demo --normals-seconds", "evaluate --confidence",
    "gate --seed", "gate --tolerated", "labels export --min-score", "loop run --quiet", "loop run --seed",
    "part add --tolerance", "part colour --at",
    "record --seconds",
    "select make --seed",
    *(f"synthesize {action} --seed" for action in ("make", "preview", "check")),
    *(
        f"train {kind} --{name}"
        for kind in ("detector", "base")
        for name in ("freeze", "mosaic", "patience", "seconds", "seed", "weight-decay")
    ),
    "generate make --seed",
    "generate sort --seed",
    "benchmark holding --seed",
    "benchmark approach --hand-eye-mm",
    "benchmark approach --hand-eye-deg",
    *(
        f"train translator --{name}"
        for name in ("agreement", "cycle", "edges", "identity", "least-holding", "patch-weight", "pool", "seed")
    ),
    *(
        f"train generator --{name}"
        for name in (
            "average-images", "beta1", "critic-beta2", "frozen", "generator-beta2", "penalty-weight", "r1", "seed",
        )
    ),
    *(f"train normals --{name}" for name in ("drawn", "patience", "seconds", "seed", "turn-deg")),
}  # fmt: skip
FRACTIONS = {
    "approach --speed",
    "benchmark motions --fault-fraction",
    "evaluate --confidence",
    "labels export --min-score",
    *(f"train {k} --{n}" for k in ("detector", "base") for n in ("mosaic", "weight-decay", "learning-rate")),
    "train normals --learning-rate",
    *(f"generate label --{n}" for n in ("confidence", "iou")),
    *(f"train generator --{n}" for n in ("beta1", "critic-beta2", "generator-beta2", "learning-rate")),
}
SEEDS = {name for name in ZERO if name.endswith("--seed")}
# Of no number, of none that a machine has, and below what any of ours may be.
BAD = ("", "x", "nan", "inf", "-inf", "1e400", "-1", "-0.5")


def options(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, argparse.Action]]:
    """Name such as ``data check --few`` of each option that takes a value, positional arguments left out."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, one in action.choices.items():
                yield from options(one, (*path, name))
        elif action.option_strings and action.nargs != 0:
            yield " ".join((*path, action.option_strings[-1])), action


PARSER = build_parser([])
OPTIONS = dict(options(PARSER))
NUMERIC = [
    name
    for name, action in OPTIONS.items()
    if getattr(action.type, "__qualname__", "").split(".")[0] in (whole.__name__, number.__name__)
]


def out_of_range(name: str) -> Iterator[str]:
    """Values that the numeric option ``name`` must refuse."""
    yield from BAD
    if name not in ZERO:
        yield "0"
    if name in FRACTIONS:
        yield "2"
    if name in SEEDS:
        yield str(2**32)


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence with which the command refuses its words."""
    assert main(words) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("cadsight: ")
    assert printed.count("\n") == 1
    return printed


def unparsed(words: list[str]) -> str:
    """The one sentence with which the parser refuses them."""
    with pytest.raises(CadsightError) as error:
        PARSER.parse_args(words)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", NUMERIC)
def test_a_number_out_of_its_range_is_refused_in_one_sentence(name):
    *path, flag = name.split()
    several = OPTIONS[name].nargs or 1
    # With a space before it, argparse takes -inf for an option.
    for value in [v for v in out_of_range(name) if several == 1 or v != "-inf"]:
        words = [f"{flag}={value}"] if several == 1 else [flag, value, *["1"] * (several - 1)]
        sentence = unparsed([*path, *words])
        assert f"argument {flag}" in sentence
        assert repr(value) in sentence


def test_no_option_takes_a_number_whose_range_nobody_checks():
    assert [name for name, action in OPTIONS.items() if action.type in (int, float, str)] == []
    assert len(NUMERIC) > 60
    assert set(NUMERIC) >= ZERO | FRACTIONS


@pytest.mark.parametrize("name", [n for n, a in OPTIONS.items() if n not in NUMERIC and a.choices is None])
def test_a_text_that_is_empty_is_refused_in_one_sentence(name):
    assert OPTIONS[name].type in (text, datumaro_format)
    *path, flag = name.split()
    assert flag in unparsed([*path, f"{flag}="])


def test_a_zero_is_a_number_like_others_where_it_means_something():
    for name in sorted(ZERO):
        assert OPTIONS[name].type("0") == 0


def test_a_bad_number_ends_the_command_with_status_two_and_no_traceback(capsys):
    printed = refused(["data", "show", "x", "--out", "y", "--count", "-1"], capsys)
    assert printed == (
        "cadsight: argument --count: '-1' was given, expected a whole number of at least 1; see cadsight data show "
        "--help\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing"], "argument COMMAND: invalid choice: 'nothing'"),
        (["data", "check", "x", "--colour", "red"], "unrecognized arguments: --colour red"),
        (["data", "check", ""], "argument DIR: '' was given, expected a text that is not empty"),
        (["compose", "--count", "3"], "the following arguments are required: --from, --background, --out"),
        (["data", "check", "x", "--ignore", "odd labels"], "the kind of problem 'odd labels' does not exist, expected"),
        (["experiment", "comillas", "--scale", "large", "--out", "x"], "the scale is 'large', expected one of smoke"),
    ],
)
def test_words_that_mean_nothing_are_refused_in_one_sentence(words, sentence, capsys):
    assert sentence in refused(words, capsys)


PAPER = ["experiment", "comillas", "--out", "x"]
ACTIVE = ["experiment", "eversberg", "--pool", "p", "--test", "t", "--out", "x"]
SETS = ["experiment", "sets", "--set", "a=b", "--test", "t", "--out", "x"]


@pytest.mark.parametrize(
    ("words", "flag", "where"),
    [
        (["data", "frames", "v", "--out", "x", "--split", "test"], "--split", "without --background"),
        (["data", "frames", "v", "--out", "x", "--background", "--suffix", ".jpg"], "--suffix", "with --background"),
        (["data", "convert", "a", "b", "--to", "yolo", "--order", "blocks"], "--order", "without --split"),
        (["data", "convert", "a", "b", "--to", "yolo", "--by", "normals"], "--by", "without --take"),
        (["data", "convert", "a", "b", "--to", "yolo", "--seed", "3"], "--seed", "where nothing is chosen at random"),
        (
            ["data", "convert", "a", "b", "--to", "yolo", "--split", "1,1", "--order", "blocks", "--seed", "0"],
            "--seed", "where nothing is chosen at random",
        ),
        (["data", "convert", "a", "b", "--to", "coco", "--shapes", "boxes"], "--shapes", "with --to coco"),
        (["data", "convert", "a", "b", "--to", "regression", "--square"], "--square", "with --to regression"),
        (["data", "convert", "a", "b", "--to", "yolo", "--square", "--shapes", "polygons"], "--shapes", "--square"),
        (["data", "annotate", "m", "--images", "i", "--out", "o", "--suffix", ".png"], "--suffix", "without --copies"),
        (["data", "annotate", "m", "--images", "i", "--out", "o", "--seed", "0"], "--seed", "without --copies"),
        (
            ["data", "annotate", "m", "--images", "i", "--out", "o", "--objects", "files", "--colour", "7=a"],
            "--colour", "with --objects files",
        ),
        (["data", "distance", "a", "b", "--count", "3"], "--count", "without --sheet"),
        (["data", "distance", "a", "b", "--models", "m"], "--models", "without --model"),
        ([*PAPER, "--synthetic", "s", "--recipe", "r.yaml"], "--recipe", "with --synthetic"),
        ([*PAPER, "--synthetic", "s", "--real", "r", "--test", "t", "--run", "d"], "--run", "named by other options"),
        ([*PAPER, "--cluster", "tcp://a:1", "--workers", "2"], "--workers", "with --cluster"),
        ([*ACTIVE, "--base", "b", "--synthetic", "s"], "--synthetic", "with --base"),
        ([*ACTIVE, "--one-cycle", "--cycles", "2"], "--cycles", "with --one-cycle"),
        ([*ACTIVE, "--one-cycle", "--cycle-strategy", "margin"], "--cycle-strategy", "with --one-cycle"),
        ([*SETS, "--no-normals", "--normals", "epochs=1"], "--normals", "with --no-normals"),
        ([*SETS, "--no-normals", "--part", "p.yaml"], "--part", "with --no-normals"),
        (["models", "--json", "export", "m"], "--json", "with `models export`"),
        (["replay", "--check", "r.json", "--rate", "2"], "--rate", "with --check"),
        (["replay", "bag", "--rate", "2"], "--rate", "without --paced"),
        (["report", "runs/demo", "--split", "test"], "--split", "without --data"),
        (["report", "runs/demo", "--part", "p.yaml"], "--part", "without --data"),
        (
            ["synthesize", "r.yaml", "--count", "1", "--out", "o", "--workers", "2", "--cluster", "tcp://a:1"],
            "--workers", "with --cluster",
        ),
    ],
)  # fmt: skip
def test_an_option_that_does_nothing_here_is_refused(words, flag, where, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sentence = refused(words, capsys)
    assert sentence.startswith(f"cadsight: {flag} was given and does nothing ")
    assert where in sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "words", "flag"),
    [
        ("detector", ["--part", "p.yaml"], "--part"),
        ("normals", ["--confidence", "0"], "--confidence"),
        ("normals", ["--max-detections", "3"], "--max-detections"),
        ("normals", ["--square"], "--square"),
    ],
)
def test_what_one_kind_of_model_is_evaluated_with_is_refused_for_the_other(kind, words, flag, capsys, tmp_path):
    card = {"format": "cadsight-model-1", "kind": kind, "architecture": "a", "classes": ["b"], "image_size": 32}
    (tmp_path / "model.json").write_text(json.dumps(card))
    sentence = refused(["evaluate", "--model", str(tmp_path), "--data", "none", *words], capsys)
    assert sentence.startswith(f"cadsight: {flag} was given and does nothing for a ")


@pytest.mark.parametrize(
    "words",
    [["train", "base", "--out", "m"], *(["benchmark", b] for b in ("synthesis", "labels", "training", "neighbours"))],
)
def test_an_option_by_its_earlier_name_does_what_it_did_with_a_notice_and_is_in_no_help(words, capsys):
    parser = build_parser(words)
    assert vars(parser.parse_args([*words, "--pictures", "7"])) == vars(parser.parse_args([*words, "--images", "7"]))
    assert capsys.readouterr().err == "cadsight: --pictures is called --images now\n"
    with pytest.raises(SystemExit):
        parser.parse_args([*words, "--help"])
    assert "--pictures" not in capsys.readouterr().out
