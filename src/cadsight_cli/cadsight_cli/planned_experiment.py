"""From a command line to what is trained on: the images are found or drawn, then the plan is made of them."""

import argparse
import dataclasses
from pathlib import Path

from cadsight_core.datasets.dataset import Dataset
from cadsight_experiments.papers import plans
from cadsight_experiments.papers.material import drawn, given
from cadsight_experiments.papers.plans import Material
from cadsight_experiments.papers.scales import Scale
from cadsight_experiments.plan import Plan
from cadsight_ros.resources import resolve
from cadsight_synthesis.datasets.augmented import write_augmented_set

from cadsight_cli.arguments.idle import workers_of
from cadsight_cli.arguments.parts import parts_of
from cadsight_cli.progress import image_bar
from cadsight_core import formats

# Beside the folders of the trained sets, whose names never begin with a point.
_DRAWN, _AUGMENTED = ".synthetic", ".augmented"


def planned(args: argparse.Namespace, scale: Scale) -> Plan:
    """The plan of the experiment ``args.kind``.

    Raises:
        CadsightError: for options that do not go together, a set that is not there, or what drawing raises.
    """
    workers = workers_of(args)
    test = given(args.test, args.run_folder, "test", "--test")
    # Before anything is drawn for them.
    parts = parts_of(words, formats.load(test)[1]) if (words := getattr(args, "part", [])) else []
    real = "" if args.kind == "rudenko" else given(args.real, args.run_folder, "train", "--real")
    synthetic = args.synthetic or drawn(
        args.recipe or resolve(f"package://cadsight/config/recipes/{args.default_recipe}.yaml"),
        args.run_folder,
        scale.engine,
        scale.synthetic,
        Path(args.out) / _DRAWN,
        workers,
        args.cluster,
        image_bar,
    )
    material = Material(real, synthetic, test, getattr(args, "translated", None) or "")
    if args.kind == "rudenko":
        augmented = write_augmented_set(
            synthetic, Path(args.out) / _AUGMENTED, scale.copies, workers=workers, progress=image_bar
        )
        return plans.rudenko(Material(real, synthetic, test, augmented=str(augmented.folder)), scale)
    if args.kind == "mixing":
        plan = plans.mixing(material, scale, min(_count(real), _count(synthetic)))
    elif args.kind == "morato":
        plan = plans.morato(material, scale, _count(real), _count(synthetic))
    else:
        plan = {"comillas": plans.comillas, "transfer": plans.transfer}[args.kind](material, scale)
    return dataclasses.replace(plan, parts=tuple(parts))


def _count(folder: str) -> int:
    """Images to train on; of our own format they are counted without reading a sample."""
    if Dataset.is_one(folder):
        dataset = Dataset.open(folder)
        return len(dataset) - len(dataset.samples("test"))
    return sum(s.split != "test" for s in formats.load(folder)[0])
