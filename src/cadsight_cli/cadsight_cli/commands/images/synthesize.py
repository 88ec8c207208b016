"""`cadsight synthesize`: images from CAD with exact labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cadsight_cli.arguments.types import COUNT, SEED

_FORMATS = "yolo,coco,via,regression"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "synthesize",
        help="make images with exact labels from CAD models",
        description="Make a data set of a recipe (config/recipes/ has one for each kind), look at nine images of it "
        "first, or check a set that is there against its meshes. `cadsight synthesize RECIPE.yaml` is `make`.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser(
        "make",
        help="make a data set of a recipe",
        description="Make a data set of a recipe. A set that is there is continued, with the same images as if it "
        "had never stopped.",
    )
    make.add_argument("recipe", metavar="RECIPE.yaml", help="what the images show")
    make.add_argument("--count", type=COUNT, required=True, metavar="N", help="images in the end")
    make.add_argument("--out", required=True, metavar="DIR", help="folder of the set")
    make.add_argument("--workers", type=COUNT, metavar="N", help="processes on this machine (1)")
    make.add_argument("--cluster", metavar="ADDRESS", help="Dask scheduler whose workers do it, tcp://host:8786")
    make.add_argument("--split", choices=("train", "valid", "test"), help="instead of the recipe's")
    make.add_argument("--formats", metavar="LIST", help=f"formats to write beside the samples, or none ({_FORMATS})")
    make.set_defaults(run=run)
    look = actions.add_parser("preview", help="a page with some images of a recipe")
    look.add_argument("recipe", metavar="RECIPE.yaml", help="what the images show")
    look.add_argument("--count", type=COUNT, metavar="N", help="images on the page (9)")
    look.add_argument("--out", metavar="HTML", help="the page, or a folder for it (RECIPE-preview.html)")
    look.set_defaults(run=run_preview, split=None)
    for one, usual in ((make, "cycles"), (look, "raster")):
        one.add_argument(
            "--engine", choices=("cycles", "raster"), help=f"cycles follows light, raster draws fast ({usual})"
        )
        one.add_argument("--seed", type=SEED, metavar="N", help="instead of the recipe's")
    check = actions.add_parser(
        "check",
        help="check a set that is there against its meshes",
        description="Check a synthetic set against its meshes; it ends with status 1 where there is a problem.",
    )
    check.add_argument("folder", metavar="DIR", help="the set")
    check.add_argument("--count", type=COUNT, metavar="N", help="images to check (30)")
    check.add_argument("--seed", type=SEED, metavar="N", help="of the choice (0)")
    check.add_argument("--out", metavar="HTML", help="the page, or a folder for it (DIR/check.html)")
    check.add_argument("--json", metavar="FILE", help="write what was found there")
    check.set_defaults(run=run_check)
    parser.default_action = "make"


def run(args: argparse.Namespace) -> int:
    import signal

    from cadsight_core.errors import CadsightError
    from cadsight_core.running.parallel import threads_each
    from cadsight_core.running.progress import progress_to
    from cadsight_synthesis.datasets.export import FORMATS, export
    from cadsight_synthesis.datasets.rendered import images_of, write_set

    from cadsight_cli.arguments.idle import workers_of
    from cadsight_cli.progress import counted, image_bar

    formats_text = args.formats or _FORMATS
    formats: Any = [] if formats_text == "none" else [f for f in formats_text.split(",") if f]
    unknown = next((f for f in formats if f not in FORMATS), None)
    if unknown is not None:
        raise CadsightError(f"--formats has {unknown!r}, expected some of {', '.join(FORMATS)}, or none")
    # Whoever stops it finds the data set whole and no process left.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, signal.default_int_handler)
    workers = workers_of(args)
    threads = 0 if args.cluster else threads_each(workers)
    images = images_of(_recipe(args), args.engine or "cycles", threads)
    with progress_to(counted):
        dataset = write_set(
            images, args.count, args.out, workers=workers, cluster=args.cluster, progress=image_bar
        )  # fmt: skip
    for folder in export(dataset, formats):
        print(folder)
    print(f"{len(dataset)} images")
    print(dataset.folder)
    return 0


def run_preview(args: argparse.Namespace) -> int:
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.files import make_folder
    from cadsight_core.storage.output_file import is_page, refuse_foreign_file
    from cadsight_synthesis.datasets.page import write_page
    from cadsight_synthesis.datasets.preview import COUNT, preview

    from cadsight_cli.progress import counted, image_bar

    page = _page(args.out, f"{Path(args.recipe).stem}-preview.html")
    refuse_foreign_file(page, is_page)
    make_folder(page.parent)
    recipe = _recipe(args)
    engine: Any = args.engine or "raster"
    count = args.count or COUNT
    with progress_to(counted):
        figures = list(image_bar(preview(recipe, engine, count), count, "preview"))
    facts = {"Recipe": args.recipe, "Kind": recipe.kind, "Engine": engine, "Seed": str(recipe.seed)}
    print(write_page(page, f"Preview of {recipe.name}", facts, figures))
    return 0


def run_check(args: argparse.Namespace) -> int:
    from cadsight_core.storage.files import make_folder
    from cadsight_core.storage.output_file import is_page, refuse_foreign_file
    from cadsight_synthesis.datasets.check import check
    from cadsight_synthesis.datasets.page import write_page

    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import image_bar

    output = JsonOutput(args.json, "folder", "limits", "problems")
    page_path = _page(args.out or args.folder, "check.html")
    refuse_foreign_file(page_path, is_page)
    if args.out:
        make_folder(page_path.parent)
    report = check(args.folder, args.count or 30, args.seed or 0, progress=image_bar)
    page = write_page(page_path, f"Check of {args.folder}", report.facts, report.figures)
    for name, value in report.facts.items():
        print(f"{name}: {value}")
    for sentence in report.problems:
        print(sentence)
    output.write(report.to_json())
    print(page)
    return 1 if report.problems else 0


def _page(given: str | None, name: str) -> Path:
    """Where a page goes: a name that ends in .html or .htm is the page itself, any other its folder."""
    path = Path(given or "")
    return path if path.suffix.lower() in (".html", ".htm") else path / name


def _recipe(args: argparse.Namespace) -> Any:
    from dataclasses import replace

    from cadsight_synthesis.recipes.composed import ComposedRecipe
    from cadsight_synthesis.recipes.reader import read_recipe

    from cadsight_cli.arguments.idle import refuse_idle

    recipe: Any = read_recipe(args.recipe)
    if isinstance(recipe, ComposedRecipe):
        refuse_idle("for a composed recipe, which nothing renders", {"--engine": args.engine})
    if args.seed is not None:
        recipe = replace(recipe, seed=args.seed)
    return replace(recipe, split=args.split) if args.split else recipe
