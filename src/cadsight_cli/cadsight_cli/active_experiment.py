"""From a command line to the comparison of strategies: `cadsight experiment eversberg`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cadsight_core.sample import Sample
from cadsight_experiments.active.cycles import MakeStart
from cadsight_experiments.active.plan import ActivePlan
from cadsight_experiments.active.start import Start, given_start, shipped_start, synthetic_start
from cadsight_experiments.papers.scales import ActiveScale
from cadsight_learning.detection.families import detector_options
from cadsight_learning.options import DetectorOptions

from cadsight_cli.arguments.pairs import pairs_of
from cadsight_cli.progress import TrainingBar

# Folder in --out of a base that is trained on synthetic images.
BASE = "base"


def active_plan(args: argparse.Namespace, scale: ActiveScale) -> ActivePlan:
    """The plan that the options and the scale make.

    Raises:
        CadsightError: for options that do not go together.
    """
    given = pairs_of(args.detector, "--detector")
    return ActivePlan(
        pool=args.pool,
        test=args.test,
        strategies=tuple(args.strategies or scale.strategies),
        seeds={k: args.seeds or seeds for k, seeds in scale.seeds.items()},
        cycles=0 if args.one_cycle else (args.cycles or scale.cycles),
        cycle_images=scale.cycle_images,
        cycle_seeds=args.seeds or scale.cycle_seeds,
        cycle_strategy=args.cycle_strategy or "dbal",
        between=scale.between,
        updates=0 if "epochs" in given else scale.updates,
        detector=detector_options({**scale.detector, **given}, "--detector"),
    )


def start_maker(args: argparse.Namespace, scale: ActiveScale, options: DetectorOptions) -> MakeStart:
    """What makes the model that the comparison begins with, given the test images."""

    def make(tested: Sequence[Sample]) -> Start:
        if args.base:
            return given_start(args.base, options, tested)
        if args.synthetic:
            with TrainingBar("base: detector") as progress:
                folder = Path(args.out) / BASE
                return synthetic_start(args.synthetic, folder, options, scale.base_epochs, tested, progress)
        return shipped_start(options)

    return make
