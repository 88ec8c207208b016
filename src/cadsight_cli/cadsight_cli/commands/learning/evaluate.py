"""`cadsight evaluate`: how good a model is on labelled images."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cadsight_cli.arguments.types import COUNT, FRACTION

if TYPE_CHECKING:
    from cadsight_learning.evaluation.normal_metrics import NormalMetrics
    from cadsight_learning.metrics.results import DetectionMetrics

_OTHERS = ("pictures_right", "mean_iou", "box_loss", "object_loss")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER

    from cadsight_cli.arguments.reading import add_reading

    parser = subparsers.add_parser(
        "evaluate",
        help="figures of a model on labelled images",
        description="The columns of the paper's table 1 for a detector, with the confusion of classes, and angle "
        "errors for a regressor of normals; each with its 95 %% interval, found by resampling the images. Images "
        "that the model learned from are refused.",
    )
    parser.add_argument("--model", required=True, metavar="M", help="folder of a model, or its name in --models")
    parser.add_argument("--data", nargs="+", required=True, metavar="DIR", help="data sets in any known format")
    parser.add_argument("--split", default="", choices=("train", "valid", "test"), help="only this split")
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.add_argument("--part", nargs="+", metavar="YAML", help="normals: parts whose symmetry counts")
    parser.add_argument("--confidence", type=FRACTION, help="detector: least confidence that counts (0.5)")
    parser.add_argument("--max-detections", type=COUNT, metavar="N", help="detector: most detections an image (10)")
    parser.add_argument("--square", action="store_true", help="detector: make the labels' boxes 1:1 as in the paper")
    parser.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument(
        "--batch", type=COUNT, metavar="N", help="images or crops seen at once (YOLO 16, R-CNN 4, normals 32)"
    )
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.running.progress import progress_to
    from cadsight_learning.evaluation.normal_metrics import NormalMetrics

    from cadsight_cli.progress import counted

    with progress_to(counted):
        metrics = _evaluated(args)
    if isinstance(metrics, NormalMetrics):
        _print_normals(metrics)
    else:
        _print_detector(metrics)
    return 0


def _evaluated(args: argparse.Namespace) -> "DetectionMetrics | NormalMetrics":
    from cadsight_core.running.progress import step
    from cadsight_learning.data.loading import chosen, load_together, unlabelled
    from cadsight_learning.evaluation.evaluate import evaluate_detector, evaluate_normals, in_classes_of
    from cadsight_learning.models import load_detector, load_regressor
    from cadsight_learning.options import CONFIDENCE, MAX_DETECTIONS
    from cadsight_learning.registry.card import load_card
    from cadsight_learning.registry.provenance import refuse_learned
    from cadsight_learning.registry.store import find

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.arguments.parts import parts_of
    from cadsight_cli.arguments.reading import reading_of
    from cadsight_cli.json_output import JsonOutput

    output = JsonOutput(args.json, "model", "data")
    folder = find(args.model, args.models)
    card = load_card(folder)
    if card.kind == "detector":
        refuse_idle("for a detector", {"--part": args.part})
    else:
        own = {"--confidence": args.confidence, "--max-detections": args.max_detections, "--square": args.square}
        refuse_idle("for a regressor of normals", own)
    reading = reading_of(args)
    with step("images and labels read"):
        samples, names = load_together(args.data, reading=reading)
        samples = chosen(samples, args.split)
        lone = unlabelled(args.data, samples, reading)
    if card.kind == "detector":
        samples = in_classes_of(samples, names, card.classes)
    for sentence in [*refuse_learned(folder, samples), *lone]:
        print(f"note: {sentence}")
    metrics: DetectionMetrics | NormalMetrics
    if card.kind == "detector":
        with step("detector loaded"):
            detector = load_detector(folder, device=args.device)
        confidence = CONFIDENCE if args.confidence is None else args.confidence
        most = args.max_detections or MAX_DETECTIONS
        metrics = evaluate_detector(detector, samples, confidence, most, args.square, args.batch)
    else:
        symmetries = {part.class_id: part.symmetry for part in parts_of(args.part or (), names)}
        metrics = evaluate_normals(load_regressor(folder, device=args.device), samples, symmetries, args.batch)
    output.write({"model": str(folder), "data": args.data, **metrics.to_json()})
    return metrics


def _print_normals(metrics: "NormalMetrics") -> None:
    from cadsight_learning.evaluation.normal_metrics import ANGLES

    print(f"{metrics.crops} crops", end="")
    print(f", {metrics.symmetric} up to their part's symmetry" if metrics.symmetric else "", end="")
    print("; degrees, and fractions under 5 and 10 degrees\n")
    _print_figures(metrics, ANGLES)
    if (known := metrics.calibration) is not None:
        print(f"half of the errors are said to lie within {known.median_deg:.2f} degrees:", end=" ")
        print(f"calibration error {known.error:.3f},", end=" ")
        print(f"negative log-likelihood {known.negative_log_likelihood:.2f},", end=" ")
        print(f"rank correlation of sureness and error {known.rank_correlation:.2f}")


def _print_detector(metrics: "DetectionMetrics") -> None:
    from cadsight_learning.metrics.box_metrics import METRICS

    print(
        f"{metrics.images} images, {metrics.labels} labels, confidence {metrics.confidence} and at most "
        f"{metrics.max_detections} an image; object_loss is the class loss where a network has no other\n"
    )
    _print_figures(metrics, (*METRICS, *_OTHERS))
    if len(metrics.per_class) > 1:
        per_class = metrics.per_class.items()
        rows = [(name, one.labels, *(f"{fraction:.3f}" for fraction in one.scores.values())) for name, one in per_class]
        _print_table(("class", "labels", *METRICS), rows)
    if metrics.masks is not None:
        print(f"masks: mask_map50 {metrics.masks.mask_map50:.3f}, mask_map50_95 {metrics.masks.mask_map50_95:.3f}")
    names = metrics.confusion.classes
    cells = list(zip(names, *zip(*metrics.confusion.matrix, strict=True), strict=True))
    cells[-1] = (*cells[-1][:-1], "")
    _print_table(("labelled \\ found as", *names), cells)


def _print_figures(metrics: "DetectionMetrics | NormalMetrics", names: Sequence[str]) -> None:
    figures = metrics.figures

    def cells(name: str) -> tuple[str, str, str]:
        digits = 2 if name in ("mean_deg", "median_deg", "p90_deg") else 3
        pair = metrics.intervals.get(name)
        between = f"{pair[0]:.{digits}f} to {pair[1]:.{digits}f}" if pair else ""
        return name, f"{figures[name]:.{digits}f}", between

    _print_table(("figure", "value", "95 % interval"), [cells(name) for name in names if name in figures])


def _print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns as wide as they must be, the first to the left, and an empty line."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        print(first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True)), sep="  ")
    print()
