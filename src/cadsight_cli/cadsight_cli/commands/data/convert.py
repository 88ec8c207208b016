"""`cadsight data convert`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import COUNT, SEED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cadsight_core.formats.account import LeftOut
    from cadsight_core.formats.convert import Converted
    from cadsight_core.sample import Sample

_THROUGH = "datumaro"


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `convert` to the actions of `cadsight data`."""
    parser = actions.add_parser(
        "convert",
        help="write a data set in another format",
        description="Write a data set as a new folder in another format, images included, and say what was read, "
        "written and left out. Exit status 1 when something was left out, unless --allow-loss says that it may be.",
    )
    parser.add_argument("source", metavar="SRC", help="data set: a folder, or a data.yaml, JSON or labels file")
    parser.add_argument("target", metavar="DST", help="folder to write; an earlier export there is replaced")
    parser.add_argument(
        "--to", required=True, choices=_Targets(), metavar="FORMAT", help="format to write: one of %(choices)s"
    )
    parser.add_argument("--square", action="store_true", help="make boxes 1:1")
    parser.add_argument(
        "--shapes",
        choices=("as_given", "boxes", "polygons", "keypoints"),
        help="YOLO's lines: outlines where all labels of an image have polygons, else key points where all have as "
        "many (as_given), boxes, outlines of masks too, or key points",
    )
    parser.add_argument(
        "--split",
        metavar="TRAIN,VALID,TEST",
        help="divide anew: fractions or counts such as 70,10,20; without it the splits stay as they are",
    )
    parser.add_argument(
        "--order",
        choices=("random", "blocks"),
        help="with --split: random deals them out, blocks keeps neighbours (frames of one video) together (random)",
    )
    parser.add_argument("--take", type=COUNT, metavar="N", help="write N of the images only")
    parser.add_argument(
        "--by",
        type=_by,
        choices=("random", "normals"),
        help="with --take: random draws those N, normals takes images whose normals lie far apart (random)",
    )
    parser.add_argument("--seed", type=SEED, help="seed of the random order and choice (0)")
    parser.add_argument("--json", metavar="FILE", help="write what was read, written and left out there")
    parser.add_argument(
        "--with",
        dest="through",
        type=datumaro_format,
        metavar="datumaro[:FORMAT]",
        help="let datumaro read a format that we do not, which it finds itself or is named; its first use installs it",
    )
    add_reading(parser)
    parser.set_defaults(run=run)


class _Targets:
    """The formats that are written, looked up when they are needed: a parser alone must not load them."""

    def __iter__(self) -> "Iterator[str]":
        from cadsight_core.formats.writers import TARGETS

        return iter(TARGETS)

    def __contains__(self, name: object) -> bool:
        return name in list(self)


def _by(word: str) -> str:
    """``word``, or what is called random now by its earlier name."""
    if word != "lot":
        return word
    print("cadsight: --by lot is called --by random now", file=sys.stderr)
    return "random"


def datumaro_format(text: str) -> str:
    """What follows `datumaro:`; '' where nothing does."""
    name, colon, form = text.partition(":")
    if name != _THROUGH or (colon and not form):
        raise argparse.ArgumentTypeError(f"{text!r} was given, expected {_THROUGH} or {_THROUGH}:FORMAT")
    return form


def run(args: argparse.Namespace) -> int:
    from cadsight_core.datasets.choice import farthest_point_sample, random_sample
    from cadsight_core.datasets.splits import Order, divide
    from cadsight_core.errors import CadsightError
    from cadsight_core.formats.convert import convert
    from cadsight_core.formats.datumaro.through import offer, through_datumaro
    from cadsight_core.formats.reading.finding import UnreadSetError
    from cadsight_core.running.progress import progress_to

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.commands.data.account_lines import lines_of
    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    fractions = _fractions(args.split) if args.split else None
    order: Order = args.order or "random"
    by = args.by or "random"
    if not fractions:
        refuse_idle("without --split", {"--order": args.order})
    if args.take is None:
        refuse_idle("without --take", {"--by": args.by})
    if not (fractions and order == "random") and not (args.take and by == "random"):
        refuse_idle("where nothing is chosen at random: without --split or --take, or by them", {"--seed": args.seed})
    if args.to != "yolo":
        refuse_idle(f"with --to {args.to}", {"--shapes": args.shapes})
    if args.to == "regression":
        refuse_idle("with --to regression", {"--square": args.square})
    if args.shapes != "boxes":
        refuse_idle("beside --square, which makes all boxes", {"--shapes": args.square and args.shapes})
    seed = args.seed or 0

    def arranged(samples: "Sequence[Sample]") -> "Sequence[Sample]":
        if args.take is not None:
            samples = (
                random_sample(samples, args.take, seed) if by == "random" else farthest_point_sample(samples, args.take)
            )
        return divide(samples, fractions, order=order, seed=seed) if fractions else samples

    output = JsonOutput(args.json, "read", "written", "left_out")
    if args.through is not None:
        refuse_idle("beside --with", {"--images": args.images, "--class-attribute": args.class_attribute})

    def converted(source: "str | Path", left_before: "Sequence[LeftOut]" = ()) -> "Converted":
        return convert(
            source,
            args.target,
            args.to,
            square=args.square,
            shapes=args.shapes or "as_given",
            arrange=arranged,
            reading=reading_of(args),
            left_before=left_before,
        )

    by_datumaro = {}
    with progress_to(counted):
        if args.through is None:
            try:
                done = converted(args.source)
            except UnreadSetError as error:
                raise CadsightError(f"{error}; {offer(args.source)}") from error
        else:
            with through_datumaro(args.source, args.through) as passed:
                print(f"read by {passed}")
                by_datumaro = {"datumaro": passed.to_json()}
                done = converted(passed.folder, passed.left_out)
    account = done.account
    print(*lines_of(account), sep="\n")
    print(done.path)
    output.write({**account.to_json(), **by_datumaro})
    if account.left_out and not args.allow_loss:
        print("something was left out, expected nothing, or --allow-loss", file=sys.stderr)
        return 1
    return 0


def _fractions(text: str) -> dict[str, float]:
    from cadsight_core.errors import CadsightError

    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3:
        raise CadsightError(f"--split is {text!r}, expected up to three numbers such as 70,10,20")
    return dict(zip(("train", "valid", "test"), numbers, strict=False))
