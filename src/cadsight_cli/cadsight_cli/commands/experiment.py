"""`cadsight experiment`: several trainings and one table."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "experiment", help="train on several sets and judge them in one table", description=__doc__
    )
    kinds = parser.add_subparsers(dest="kind", metavar="NAME", required=True)
    sentence = "what each training set is worth, judged on one test set"
    one = kinds.add_parser(
        "sets",
        help=sentence,
        description=f"{sentence.capitalize()}. Stopped or killed, the same command goes on where it was.",
    )
    one.add_argument("--set", action="append", required=True, metavar="NAME=DIR[,DIR]", help="a training set; repeat")
    one.add_argument("--test", required=True, metavar="DIR", help="the data set that all are judged on")
    one.add_argument("--out", required=True, metavar="DIR", help="folder of the trials and the table")
    one.add_argument("--seeds", type=int, default=3, help="trainings of each set (3)")
    one.add_argument("--detector", action="append", default=[], metavar="KEY=VALUE", help="option of train detector")
    one.add_argument("--normals", action="append", default=[], metavar="KEY=VALUE", help="option of train normals")
    one.add_argument("--no-normals", action="store_true", help="the detector alone")
    one.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_learning.comparison import TrainingSet, compare, table
    from cadsight_learning.options import DetectorOptions, NormalOptions

    from cadsight_cli.progress import TrainingBar

    sets = [TrainingSet.parse(words) for words in args.set]
    detector = _options(DetectorOptions, args.detector, "--detector")
    normals = None if args.no_normals else _options(NormalOptions, args.normals, "--normals")
    comparison = compare(
        sets, args.test, args.seeds, args.out, detector, normals, lambda trial, what: TrainingBar(f"{trial}: {what}")
    )
    print(table(comparison), end="")
    print(Path(args.out) / "comparison.json")
    return 0


def _options(cls: type, words: list[str], where: str) -> Any:
    import yaml
    from cadsight_core.errors import CadsightError
    from cadsight_core.parameters import from_mapping

    pairs = [word.partition("=") for word in words]
    wrong = next((word for word, (_, sign, _) in zip(words, pairs, strict=True) if not sign), None)
    if wrong is not None:
        raise CadsightError(f"{where} is {wrong!r}, expected KEY=VALUE such as epochs=40")
    return from_mapping(cls, {key.replace("-", "_"): yaml.safe_load(value) for key, _, value in pairs}, where)
