"""`cadsight train`: labelled images to a detector or a regressor of normals."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cadsight_cli.arguments.types import COUNT

if TYPE_CHECKING:
    from cadsight_core.sample import Sample


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import NormalOptions

    from cadsight_cli.arguments.detectors import add_detector_options
    from cadsight_cli.arguments.earlier import add_earlier
    from cadsight_cli.arguments.options import add_options
    from cadsight_cli.arguments.reading import add_reading
    from cadsight_cli.arguments.tracker import add_tracker
    from cadsight_cli.commands.generation import _train_generator, _train_translator

    parser = subparsers.add_parser(
        "train",
        help="train a detector, a regressor of normals, or a generator or translator of images",
        description="Train on labelled images in any known format; the epoch that is best on validation is kept. "
        "Stopped with Ctrl-C or killed, the same command goes on after the last whole epoch.",
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for kind, sentence in (
        ("detector", "find parts: YOLO, Faster R-CNN or Mask R-CNN, from scratch or from weights"),
        ("normals", "the normal of a part's surface from its crop"),
    ):
        one = kinds.add_parser(kind, help=sentence, description=sentence)
        one.add_argument("--data", nargs="+", required=True, metavar="DIR", help="data sets to train on")
        one.add_argument("--valid", nargs="+", metavar="DIR", help="data sets to validate on (else a part of --data)")
        one.add_argument("--out", required=True, metavar="DIR", help="folder of the model, such as models/NAME")
        if kind == "normals":
            words = "the parts: their symmetry counts in training, and --drawn views show their CAD files"
            one.add_argument("--part", nargs="+", metavar="YAML", help=words)
        add_tracker(one)
        add_reading(one)
        if kind == "normals":
            add_options(one, NormalOptions)
        else:
            add_detector_options(one)
        one.set_defaults(run=run)
    base = kinds.add_parser("base", help="make a base checkpoint from drawn solids, for --weights")
    base.add_argument("--out", required=True, metavar="DIR", help="folder of the model")
    images = base.add_argument("--images", type=COUNT, metavar="N", default=4000, help="images to draw (4000)")
    add_earlier(base, "--pictures", images)
    add_tracker(base)
    add_detector_options(base)
    base.set_defaults(run=run_base)
    _train_generator.add_kind(kinds)
    _train_translator.add_kind(kinds)


def run(args: argparse.Namespace) -> int:
    from cadsight_learning.data.loading import dataset_warnings, load_together, of_splits, split_train_valid
    from cadsight_learning.evaluation.evaluate import in_classes_of
    from cadsight_learning.fit import fit_detector, fit_normals
    from cadsight_learning.options import NormalOptions
    from cadsight_learning.registry.model_folder import refuse_foreign_model
    from cadsight_learning.registry.provenance import copies, refuse_validation

    from cadsight_cli.arguments.detectors import detector_options_of
    from cadsight_cli.arguments.options import options_of
    from cadsight_cli.arguments.parts import parts_of
    from cadsight_cli.arguments.reading import reading_of
    from cadsight_cli.arguments.tracker import followed

    refuse_foreign_model(args.out)
    options: Any = detector_options_of(args) if args.kind == "detector" else options_of(args, NormalOptions)
    reading = reading_of(args)
    samples, classes = load_together(args.data, reading=reading)
    if args.valid:
        train: Sequence[Sample] = of_splits(samples, ("train", ""))
        others, names = load_together(args.valid, reading=reading)
        valid: Sequence[Sample] = in_classes_of(others, names, classes)
        valid = of_splits(valid, ("valid",)) or valid
        how = f"validated on {', '.join(args.valid)}"
        refuse_validation(train, valid)
        notes = []
    else:
        train, valid, how = split_train_valid(samples)
        notes = copies(train, valid)
    print(f"{len(train)} images to train on, {len(valid)} to validate on: {how}")
    for sentence in [*dataset_warnings(args.data, train, classes, reading), *notes]:
        print(f"note: {sentence}")
    parts = parts_of(args.part or (), classes) if args.kind == "normals" else []
    with followed(args.out, args.track, asdict(options)) as report:
        if args.kind == "detector":
            _, card = fit_detector(train, valid, classes, args.out, options, report)
        else:
            _, card = fit_normals(train, valid, classes, args.out, options, report, parts)
    _summary(card, args.out)
    return 0


def run_base(args: argparse.Namespace) -> int:
    from cadsight_learning.pretraining.base_checkpoint import refuse_foreign_base, train_base

    from cadsight_cli.arguments.detectors import detector_options_of
    from cadsight_cli.arguments.tracker import followed

    refuse_foreign_base(args.out)
    options = detector_options_of(args)
    with followed(args.out, args.track, asdict(options)) as report:
        card, path = train_base(args.images, args.out, options, report)
    _summary(card, args.out)
    print(path)
    return 0


def _summary(card: Any, out: str) -> None:
    figures = ", ".join(f"{k} {v:.3f}" for k, v in card.figures.items())
    print(f"started as {card.started_from}")
    if card.stopped:
        print(f"stopped early: {card.stopped}; the best epoch until then was kept")
    print(f"epoch {card.best_epoch} of {card.epochs} kept after {card.seconds:.0f} s; on validation: {figures}")
    print(out)
