"""Options of changed copies, alike in every command that makes some."""

import argparse
from typing import TYPE_CHECKING

from cadsight_cli.arguments.types import COUNT, SEED

if TYPE_CHECKING:
    from cadsight_synthesis.image_ops.augmentation import AugmentationParameters


def add_augmentation(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--parameters", metavar="YAML", help="file with parameters of the augmentation")
    parser.add_argument("--seed", type=SEED, help="seed of the copies (0)")
    parser.add_argument("--workers", type=COUNT, default=1, metavar="N", help="processes (1)")


def augmentation_of(args: argparse.Namespace) -> "AugmentationParameters":
    """What the options say.

    Raises:
        CadsightError: for a file that cannot be read, and values out of range.
    """
    from cadsight_core.config.parameters import from_mapping
    from cadsight_synthesis.image_ops.augmentation import AugmentationParameters

    from cadsight_cli.yaml_file import read_mapping

    mapping = read_mapping(args.parameters) if args.parameters else {}
    if args.seed is not None:
        mapping["seed"] = args.seed
    return from_mapping(AugmentationParameters, mapping, args.parameters or "the command line")
