"""`cadsight generate sort`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_generation.sorting.options import SortingOptions
from cadsight_learning.options import MODELS_FOLDER

from cadsight_cli.arguments.options import add_options, options_of
from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import COUNT, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadsight_core.sample import Sample
    from cadsight_learning.detection.detector import Detector

_RECORD, _PAGE, _HAND_PAGE = "sorted.json", "sorted.html", "by-hand.html"
_BY_HAND = 100
# What --by-hand gives where no file stands after it.
_WRITE_PAGE = True


def add_parser(actions: argparse._SubParsersAction) -> None:
    parser = actions.add_parser(
        "sort",
        help="sort generated images: new and good, nearly, poor, or copies",
        description="Sort generated images: green is new and good, yellow nearly, white poor, and red a copy of a "
        "training image. Real images that the generator never saw say what is usual: with 19 of them a level of 5 % "
        "can be reached, with 99 one of 1 %.",
    )
    parser.add_argument("folder", metavar="DIR", help="generated images, in any format")
    parser.add_argument("--trained-on", required=True, metavar="DIR", help="the images that the generator learned from")
    parser.add_argument("--held-out", required=True, metavar="DIR", help="real images that it never saw")
    parser.add_argument(
        "--detector", metavar="M", help="a detector that never saw them: its folder, or its name in --models"
    )
    parser.add_argument("--models", metavar="DIR", help=f"registry folder ({MODELS_FOLDER})")
    parser.add_argument(
        "--device", metavar="NAME", help="where the detector computes: auto, cpu, cuda or cuda:N (auto)"
    )
    parser.add_argument("--out", metavar="DIR", help=f"folder of {_RECORD} and {_PAGE} (DIR-sorted)")
    parser.add_argument(
        "--by-hand", nargs="?", const=_WRITE_PAGE, type=text, metavar="ANSWERS",
        help=f"write {_HAND_PAGE} to sort images by eye; with the answers that it saved, say how well both agree",
    )  # fmt: skip
    parser.add_argument("--count", type=COUNT, metavar="N", help=f"images on that page ({_BY_HAND})")
    add_options(parser, SortingOptions)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.formats import load
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.files import make_folder
    from cadsight_core.storage.json_text import figures_text
    from cadsight_core.storage.output_file import is_page, json_with, refuse_foreign_file, write_output
    from cadsight_generation.sorting.record import SORTED_FORMAT, agreement_with, as_record, for_hand
    from cadsight_generation.sorting.sorter import sort_images
    from cadsight_report.sorting import write_hand_page, write_sorting_page

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.progress import counted

    if not args.detector:
        refuse_idle("without --detector", {"--models": args.models, "--device": args.device})
    if args.by_hand is not _WRITE_PAGE:
        refuse_idle("without a page to sort by hand", {"--count": args.count})
    options = options_of(args, SortingOptions)
    name = Path(args.folder).resolve().name
    out = Path(args.out) if args.out else Path(args.folder).resolve().with_name(f"{name}-sorted")
    record_of = json_with(form=SORTED_FORMAT)
    refuse_foreign_file(out / _RECORD, record_of)
    for each in (_PAGE, _HAND_PAGE):
        refuse_foreign_file(out / each, is_page)
    reading = reading_of(args)
    with progress_to(counted):
        generated, trained_on, held_out = (
            load(source, reading)[0] for source in (args.folder, args.trained_on, args.held_out)
        )
        detector, detector_name = _detector(args, generated)
        sorting = sort_images(generated, trained_on, held_out, options, detector, detector_name)
        answers = None if args.by_hand is _WRITE_PAGE else args.by_hand
        by_hand = agreement_with(answers, sorting.images) if answers else None
        make_folder(out)
        record = as_record(sorting)
        if by_hand is not None:
            figures = {"kappa": by_hand.kappa, "low": by_hand.low, "high": by_hand.high}
            record["by_hand"] = {**figures, "table": by_hand.table.tolist()}
        write_output(out / _RECORD, figures_text(record, indent=1) + "\n", record_of)
        page = write_sorting_page(out / _PAGE, name, sorting, by_hand)
        if args.by_hand is _WRITE_PAGE:
            print(write_hand_page(out / _HAND_PAGE, name, for_hand(sorting, args.count or _BY_HAND)))
    for note in sorting.notes:
        print(f"note: {note}")
    together, images = sorting.overall, len(sorting.images)
    print(", ".join(f"{count} {colour}" for colour, count in sorting.count().items()) + f" of {images}")
    print(f"different images: {together.distinct} of {images}")
    print(f"kernel distance (KID) to the held-out images: {together.kid:.5f}; of the training images: ", end="")
    print(f"{together.kid_of_training:.5f}")
    print(f"coverage of the held-out images: {together.coverage:.2f}")
    print(
        f"data copying: {together.copying:+.2f} (p {together.copying_p_value:.3g}), far below 0 where images are copied"
    )
    if by_hand is not None:
        print(f"kappa with {by_hand.table.sum()} images sorted by hand: {by_hand.kappa:.2f}, 95 % interval ", end="")
        print(f"{by_hand.low:.2f} to {by_hand.high:.2f}")
    print(page)
    return 0


def _detector(args: argparse.Namespace, generated: Sequence[Sample]) -> tuple[Detector | None, str]:
    """The detector and its folder, where one is named; one that learned from generated images is refused."""
    from cadsight_learning.models import load_detector
    from cadsight_learning.registry.provenance import refuse_learned
    from cadsight_learning.registry.store import find

    if args.detector is None:
        return None, ""
    folder = find(args.detector, args.models or MODELS_FOLDER)
    for warning in refuse_learned(folder, generated):
        print(f"note: {warning}")
    return load_detector(folder, device=args.device or "auto"), str(folder)
