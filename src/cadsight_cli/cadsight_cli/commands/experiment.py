"""`cadsight experiment`: several trainings and one table."""

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from cadsight_cli.arguments.types import COUNT

if TYPE_CHECKING:
    from cadsight_experiments.plan import Plan

_PAPERS = {
    "comillas": (
        "real against synthetic (against translated) images, for each size of YOLO and the regressor",
        "box",
    ),
    "morato": ("number of images from CAD by number of real ones, and its grid of mAP50", "views"),
    "rudenko": ("Mask R-CNN on rendered and augmented masks, tested on photographs", "weather"),
    "transfer": ("synthetic images first, then real ones for fewer epochs", "box"),
    "mixing": ("as many images in all, a growing fraction of them synthetic", "box"),
}
_PAGE = "report.html"
_GOES_ON = "Stopped or killed, the same command goes on where it was."


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "experiment", help="train on several sets and evaluate them in one table", description=__doc__
    )
    kinds = parser.add_subparsers(dest="kind", metavar="NAME", required=True)
    sentence = "what each training set is worth, evaluated on one test set"
    one = kinds.add_parser("sets", help=sentence, description=f"{sentence.capitalize()}. {_GOES_ON}")
    one.add_argument(
        "--set", action="append", required=True, metavar="NAME=DIR[:N][,DIR[:N]]",
        help="a training set, with :N that many images of a folder; repeat",
    )  # fmt: skip
    one.add_argument("--test", required=True, metavar="DIR", help="the data set that all are evaluated on")
    one.add_argument("--seeds", type=COUNT, default=3, help="trainings of each set (3)")
    one.add_argument("--no-normals", action="store_true", help="the detector alone")
    one.set_defaults(run=run_sets)
    _add_normals(one)
    _add_common(one)
    for name, (sentence, recipe) in _PAPERS.items():
        one = kinds.add_parser(name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}. {_GOES_ON}")
        one.add_argument("--run", dest="run_folder", metavar="RUN", help="a run of `cadsight demo`, for real and test")
        if name != "rudenko":
            one.add_argument("--real", metavar="DIR", help="real images to train on (those of --run)")
        one.add_argument("--test", metavar="DIR", help="real images that evaluate (those of --run)")
        one.add_argument("--synthetic", metavar="DIR", help="synthetic images; left out, they are drawn by --recipe")
        one.add_argument("--recipe", metavar="YAML", help=f"what is drawn (config/recipes/{recipe}.yaml)")
        if name in ("comillas", "transfer", "mixing"):
            _add_normals(one)
        if name == "comillas":
            one.add_argument("--translated", metavar="DIR", help="synthetic images that were made to look real")
        one.add_argument(
            "--scale", default="cpu", help="smoke (minutes), cpu (hours on two cores) or paper (%(default)s)"
        )
        one.add_argument("--seeds", type=COUNT, help="trainings of each set (the scale's)")
        one.set_defaults(run=run_paper, default_recipe=recipe)
        _add_common(one)


def _add_normals(parser: argparse.ArgumentParser) -> None:
    """Of experiments that train regressors of normals too."""
    words = "the parts: their symmetry counts for normals, in training and in evaluating"
    parser.add_argument("--part", nargs="+", default=[], metavar="YAML", help=words)
    parser.add_argument("--normals", action="append", default=[], metavar="KEY=VALUE", help="option of train normals")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the trials, the table and the page")
    parser.add_argument("--workers", type=COUNT, metavar="N", help="processes that draw and train (1)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler whose workers draw and train instead")
    parser.add_argument("--detector", action="append", default=[], metavar="KEY=VALUE", help="option of train detector")


def run_sets(args: argparse.Namespace) -> int:
    from cadsight_core.config.parameters import from_mapping
    from cadsight_core.parts.part import load_part
    from cadsight_experiments.plan import Plan
    from cadsight_experiments.training_set import TrainingSet
    from cadsight_learning.detection.families import detector_options
    from cadsight_learning.options import NormalOptions

    from cadsight_cli.arguments.idle import refuse_idle

    _refuse_foreign(args.out)
    if args.no_normals:
        refuse_idle("with --no-normals", {"--part": args.part, "--normals": args.normals})
    sets = tuple(TrainingSet.parse(words) for words in args.set)
    detector = detector_options(_pairs(args.detector, "--detector"), "--detector")
    normals = None if args.no_normals else from_mapping(NormalOptions, _pairs(args.normals, "--normals"), "--normals")
    parts = tuple(load_part(path) for path in args.part)
    return _compared(Plan(sets, args.test, args.seeds, detector, normals, parts), args)


def run_paper(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from cadsight_experiments.papers.scales import scale_of

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.planned_experiment import planned

    _refuse_foreign(args.out)
    if args.synthetic:
        refuse_idle("with --synthetic, beside which nothing is drawn", {"--recipe": args.recipe})
        if args.test and (args.kind == "rudenko" or args.real):
            refuse_idle("where all images are named by other options", {"--run": args.run_folder})
    scale = scale_of(args.scale)
    scale = replace(
        scale,
        seeds=args.seeds or scale.seeds,
        detector={**scale.detector, **_pairs(args.detector, "--detector")},
        mask={**scale.mask, **_pairs(args.detector, "--detector")},
        normals={**scale.normals, **_pairs(getattr(args, "normals", []), "--normals")},
    )
    return _compared(planned(args, scale), args)


def _refuse_foreign(out: str) -> None:
    """Before anything is drawn or trained."""
    from pathlib import Path

    from cadsight_core.storage.output_file import is_page, refuse_foreign_file
    from cadsight_experiments.comparison import refuse_foreign_comparison

    refuse_foreign_comparison(out)
    refuse_foreign_file(Path(out) / _PAGE, is_page)


def _compared(plan: "Plan", args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_core.running.parallel import parallel_map_of, threads_each
    from cadsight_experiments.comparison import COMPARISON, Running, compare, table

    from cadsight_cli.arguments.idle import workers_of
    from cadsight_cli.demo.reporting import report_side_by_side
    from cadsight_cli.progress import TrainingBar, trial_bar

    workers = workers_of(args)

    def note(sentence: str) -> None:
        print(f"note: {sentence}", flush=True)

    if workers == 1 and not args.cluster:
        here = Running(progress=lambda trial, what: TrainingBar(f"{trial}: {what}"), note=note)
        comparison = compare(plan, args.out, here)
    else:
        parallel = parallel_map_of(workers, args.cluster)

        def with_bar(work: Any, numbers: Any) -> Any:
            with contextlib.closing(parallel(work, numbers)) as done:
                yield from trial_bar(done, len(numbers))

        try:
            there = Running(note=note, parallel=with_bar, threads=0 if args.cluster else threads_each(workers))
            comparison = compare(plan, args.out, there)
        finally:
            parallel.close()
    page = report_side_by_side([args.out], Path(args.out) / _PAGE)
    print(table(comparison), end="")
    print(Path(args.out) / COMPARISON)
    print(page)
    return 0


def _pairs(words: list[str], where: str) -> dict[str, Any]:
    from cadsight_core.config.yaml_file import parse_yaml
    from cadsight_core.errors import CadsightError

    pairs = [word.partition("=") for word in words]
    wrong = next((word for word, (_, sign, _) in zip(words, pairs, strict=True) if not sign), None)
    if wrong is not None:
        raise CadsightError(f"{where} is {wrong!r}, expected KEY=VALUE such as epochs=40")
    return {key.replace("-", "_"): parse_yaml(value, f"{where} {key}") for key, _, value in pairs}
