"""`cadsight evaluate`: how good a model is on labelled pictures."""

import argparse
from collections.abc import Sequence
from typing import Any

_COLUMNS = ("precision", "recall", "f1", "map50", "map50_95", "box_loss", "object_loss")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER

    parser = subparsers.add_parser(
        "evaluate",
        help="figures of a model on labelled pictures",
        description="The columns of the paper's table 1 for a detector, angle errors for a regressor of normals.",
    )
    parser.add_argument("--model", required=True, metavar="M", help="folder of a model, or its name in --models")
    parser.add_argument("--data", nargs="+", required=True, metavar="DIR", help="data sets in any known format")
    parser.add_argument("--split", default="", choices=("train", "valid", "test"), help="only this split")
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.add_argument("--part", nargs="+", metavar="YAML", help="parts whose symmetry counts for normals")
    parser.add_argument("--confidence", type=float, default=0.5, help="least confidence that counts (0.5)")
    parser.add_argument("--max-detections", type=int, default=10, help="most detections a picture (10)")
    parser.add_argument("--square", action="store_true", help="make the labels' boxes 1:1 as in the paper")
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import json

    from cadsight_core.files import write_atomically
    from cadsight_learning.data import chosen, load_together
    from cadsight_learning.evaluation import evaluate_detector, evaluate_normals, in_classes_of
    from cadsight_learning.registry import find, load_card, load_detector, load_regressor

    folder = find(args.model, args.models)
    card = load_card(folder)
    samples, names = load_together(args.data)
    samples = chosen(samples, args.split)
    figures: dict[str, Any]
    if card.kind == "detector":
        samples = in_classes_of(samples, names, card.classes)
        detector = load_detector(folder)
        figures = evaluate_detector(detector, samples, args.confidence, args.max_detections, args.square)
        _print_detector(figures)
    else:
        figures = evaluate_normals(load_regressor(folder), samples, symmetries_of(args.part or (), names))
        print(f"{figures['crops']} crops", end="")
        print(f", {figures['symmetric']} up to their part's symmetry" if figures["symmetric"] else "", end="")
        print(f": angle error mean {figures['mean_deg']:.2f}, median", end=" ")
        print(f"{figures['median_deg']:.2f}, 90th percentile {figures['p90_deg']:.2f} degrees")
    if args.json:
        write_atomically(args.json, json.dumps({"model": str(folder), "data": args.data, **figures}, indent=1) + "\n")
        print(args.json)
    return 0


def symmetries_of(parts: Sequence[str], names: Sequence[str]) -> dict[int, Any]:
    """The symmetries of the parts in the YAML files ``parts``, by their place in the class ``names``.

    Raises:
        CadsightError: for a file that cannot be used, or a part that is no class.
    """
    from cadsight_core.errors import CadsightError
    from cadsight_core.part import load_part

    symmetries = {}
    for path in parts:
        part = load_part(path)
        if part.name not in names:
            raise CadsightError(f"{path} is of the part {part.name}, expected one of the data: {', '.join(names)}")
        symmetries[names.index(part.name)] = part.symmetry
    return symmetries


def _print_detector(figures: dict[str, Any]) -> None:
    print(
        f"{figures['pictures']} pictures, {figures['labels']} labels, confidence {figures['confidence']} and at most "
        f"{figures['max_detections']} a picture; object_loss is YOLO11's class loss"
    )
    width = max(len("all"), *(len(name) for name in figures["per_class"])) if figures["per_class"] else 3
    print(" " * width, *(f"{c:>11}" for c in ("labels", *_COLUMNS)))
    for name, row in (("all", figures), *figures["per_class"].items()):
        cells = [f"{row[c]:11.3f}" if c in row else " " * 11 for c in _COLUMNS]
        print(f"{name:<{width}}", f"{row['labels']:11d}", *cells)
