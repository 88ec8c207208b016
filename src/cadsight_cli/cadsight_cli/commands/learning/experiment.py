"""`cadsight experiment`: several trainings and one table."""

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from cadsight_cli.arguments.pairs import pairs_of
from cadsight_cli.arguments.types import COUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cadsight_experiments.comparison import Running
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
    sentence = "one model for each training set, evaluated on one test set"
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
    _add_eversberg(kinds)


def _add_eversberg(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sentence = "strategies that choose the images to label, from a base that was made without them"
    one = kinds.add_parser(
        "eversberg",
        help=sentence,
        description=f"{sentence[0].upper()}{sentence[1:]}: one cycle with several numbers of images for each strategy, "
        f"then cycle after cycle for one. No pool is drawn: --pool and --test are needed. {_GOES_ON}",
    )
    one.add_argument(
        "--pool", required=True, metavar="DIR",
        help="real images to choose from, a data set with labels; those of chosen images alone are looked at",
    )  # fmt: skip
    one.add_argument("--test", required=True, metavar="DIR", help="the data set that every model is evaluated on")
    one.add_argument("--base", metavar="DIR", help="the detector to go on from (YOLO11 nano's of drawn solids)")
    one.add_argument("--synthetic", metavar="DIR", help="synthetic images; the base is trained on them")
    one.add_argument(
        "--strategies", nargs="+", metavar="NAME",
        help="those of `cadsight select` that are compared, random and entropy among them (the scale's)",
    )  # fmt: skip
    one.add_argument("--cycles", type=COUNT, metavar="N", help="batches one after the other for one strategy (8)")
    one.add_argument("--cycle-strategy", metavar="NAME", help="the strategy that goes on cycle by cycle (dbal)")
    one.add_argument("--one-cycle", action="store_true", help="no cycle after the first")
    one.add_argument("--scale", default="cpu", help="smoke (a minute), cpu (hours on two cores) or paper (%(default)s)")
    one.add_argument("--seeds", type=COUNT, metavar="N", help="trainings of each number of images (the scale's)")
    one.set_defaults(run=run_eversberg)
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
    detector = detector_options(pairs_of(args.detector, "--detector"), "--detector")
    normals = None if args.no_normals else from_mapping(NormalOptions, pairs_of(args.normals, "--normals"), "--normals")
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
        detector={**scale.detector, **pairs_of(args.detector, "--detector")},
        mask={**scale.mask, **pairs_of(args.detector, "--detector")},
        normals={**scale.normals, **pairs_of(getattr(args, "normals", []), "--normals")},
    )
    return _compared(planned(args, scale), args)


def run_eversberg(args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_core.storage.output_file import is_page, refuse_foreign_file
    from cadsight_experiments.active.cycles import compare_strategies, refuse_foreign_active
    from cadsight_experiments.active.results import RESULTS
    from cadsight_experiments.active.table import active_table
    from cadsight_experiments.papers.scales import active_scale_of
    from cadsight_learning.registry.model_folder import refuse_foreign_model
    from cadsight_report.side_by_side.active_comparison import write_active_page

    from cadsight_cli.active_experiment import BASE, active_plan, start_maker
    from cadsight_cli.arguments.idle import refuse_idle

    out = Path(args.out)
    refuse_foreign_active(out)
    for folder in (out / BASE).glob("*"):
        refuse_foreign_model(folder)
    refuse_foreign_file(out / _PAGE, is_page)
    if args.base:
        refuse_idle("with --base, which is trained already", {"--synthetic": args.synthetic})
    if args.one_cycle:
        idle = {"--cycles": args.cycles, "--cycle-strategy": args.cycle_strategy}
        refuse_idle("with --one-cycle, after which none follow", idle)
    scale = active_scale_of(args.scale)
    plan = active_plan(args, scale)
    with _running(args) as running:
        comparison = compare_strategies(plan, out, start_maker(args, scale, plan.detector), running)
    page = write_active_page(out / _PAGE, comparison)
    print(active_table(comparison), end="")
    print(out / RESULTS)
    print(page)
    return 0


def _refuse_foreign(out: str) -> None:
    """Before anything is drawn or trained."""
    from pathlib import Path

    from cadsight_core.storage.output_file import is_page, refuse_foreign_file
    from cadsight_experiments.comparison import refuse_foreign_comparison

    refuse_foreign_comparison(out)
    refuse_foreign_file(Path(out) / _PAGE, is_page)


def _compared(plan: "Plan", args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_experiments.comparison import COMPARISON, compare, table

    from cadsight_cli.demo.steps.reporting import report_side_by_side

    with _running(args) as running:
        comparison = compare(plan, args.out, running)
    page = report_side_by_side([args.out], Path(args.out) / _PAGE)
    print(table(comparison), end="")
    print(Path(args.out) / COMPARISON)
    print(page)
    return 0


@contextlib.contextmanager
def _running(args: argparse.Namespace) -> "Iterator[Running]":
    """Where ``--workers`` and ``--cluster`` let trainings run, with bars."""
    from cadsight_core.running.parallel import parallel_map_of, threads_each
    from cadsight_experiments.comparison import Running

    from cadsight_cli.arguments.idle import workers_of
    from cadsight_cli.progress import TrainingBar, trial_bar

    workers = workers_of(args)

    def note(sentence: str) -> None:
        print(f"note: {sentence}", flush=True)

    if workers == 1 and not args.cluster:
        yield Running(progress=lambda trial, what: TrainingBar(f"{trial}: {what}"), note=note)
        return
    parallel = parallel_map_of(workers, args.cluster)

    def with_bar(work: Any, numbers: Any) -> Any:
        with contextlib.closing(parallel(work, numbers)) as done:
            yield from trial_bar(done, len(numbers))

    try:
        yield Running(note=note, parallel=with_bar, threads=0 if args.cluster else threads_each(workers))
    finally:
        parallel.close()
