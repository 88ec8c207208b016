"""`cadsight select`: which images to label next, and why."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_active.options import SelectionOptions
from cadsight_learning.options import MODELS_FOLDER

from cadsight_cli.arguments.options import add_options, options_of
from cadsight_cli.arguments.reading import add_reading, reading_of

if TYPE_CHECKING:
    from cadsight_active.pool_set import PoolSet
    from cadsight_learning.detection.detector import Detector

_PAGE = "batch.html"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "select",
        help="choose the images that are worth a label next",
        description="Choose images of a pool to label, or show why a batch was chosen. `cadsight select --pool ...` is "
        "`make`.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser(
        "make",
        help="choose a batch",
        description="Choose a batch of images to label. Labels that the pool has are not looked at. The same seed "
        "gives the same batch.",
    )
    make.add_argument("--pool", nargs="+", required=True, metavar="DIR", help="images to choose from, in any format")
    make.add_argument("--labelled", nargs="+", default=[], metavar="DIR", help="data sets that are labelled already")
    make.add_argument("--model", metavar="M", help="folder of a detector, or its name in --models")
    make.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    make.add_argument("--out", required=True, metavar="DIR", help="folder of the batch")
    make.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda or cuda:N (auto)")
    add_options(make, SelectionOptions)
    add_reading(make)
    make.set_defaults(run=run)
    explain = actions.add_parser(
        "explain",
        help="show a batch as a page",
        description="Show a batch as a page: its images with what the model saw there, the reason of each, its cluster "
        "and the labelled image that is most alike.",
    )
    explain.add_argument("batch", metavar="BATCH", help="folder of a batch")
    explain.add_argument("--out", metavar="HTML", help=f"the page (BATCH/{_PAGE})")
    explain.set_defaults(run=run_explain)
    parser.default_action = "make"


def run(args: argparse.Namespace) -> int:
    from cadsight_active.batch import refuse_foreign_batch, save_selection
    from cadsight_active.pool_set import select_from
    from cadsight_active.strategies.registry import STRATEGIES
    from cadsight_core.running.progress import progress_to

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.progress import counted

    refuse_foreign_batch(args.out)
    options = options_of(args, SelectionOptions)
    strategy = STRATEGIES.named(options.strategy)
    idle = [f.name for f in dataclasses.fields(SelectionOptions) if f.name not in strategy.reads]
    refuse_idle(
        f"with --strategy {strategy.name}", {f"--{name.replace('_', '-')}": getattr(args, name) for name in idle}
    )
    if not strategy.asks_model:
        refuse_idle(f"with --strategy {strategy.name}", {"--model": args.model})
    with progress_to(counted):
        folder, detector = _model(args)
        selection = select_from(_pool(args, detector), options, detector, folder)
    save_selection(args.out, selection)
    batch = selection.batch
    for note in batch.notes:
        print(f"note: {note}")
    for one in batch.images:
        print(f"{one.file}  {one.reason}")
    print(
        f"{Path(args.out) / 'batch.json'}: {options.k} of {batch.pool[0]} images, beside {batch.pool[1]} labelled ones"
    )
    return 0


def run_explain(args: argparse.Namespace) -> int:
    from cadsight_active.batch import load_selection
    from cadsight_core.storage.output_file import is_page, refuse_foreign_file
    from cadsight_report.selection import write_batch_page

    folder = Path(args.batch)
    page = refuse_foreign_file(args.out or folder / _PAGE, is_page)
    print(write_batch_page(page, load_selection(folder)))
    return 0


def _model(args: argparse.Namespace) -> tuple[str, Detector | None]:
    """The folder of the model and the model, where one is named."""
    from cadsight_core.errors import CadsightError
    from cadsight_learning.models import load_detector
    from cadsight_learning.registry.card import load_card
    from cadsight_learning.registry.store import find

    if args.model is None:
        return "", None
    folder = find(args.model, args.models)
    kind = load_card(folder).kind
    if kind != "detector":
        raise CadsightError(f"{folder} is a model of {kind}, expected a detector")
    return str(folder), load_detector(folder, device=args.device)


def _pool(args: argparse.Namespace, detector: Detector | None) -> PoolSet:
    from cadsight_active.pool_set import PoolSet
    from cadsight_learning.data.loading import load_images, load_together
    from cadsight_learning.evaluation.evaluate import in_classes_of

    reading = reading_of(args)
    labelled, names = load_together(args.labelled, reading=reading) if args.labelled else ((), ())
    if detector is not None and args.labelled:
        labelled = in_classes_of(labelled, names, detector.classes)
    return PoolSet.of(load_images(args.pool, reading), labelled)
