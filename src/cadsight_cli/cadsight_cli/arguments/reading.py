"""Options that say how a data set of others is read, alike in every command that reads one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_cli.arguments.types import text

if TYPE_CHECKING:
    from cadsight_core.formats import Reading


def add_reading(parser: argparse.ArgumentParser, *, loss: bool = True) -> None:
    """Add the options; ``loss`` for commands that refuse what cannot be read."""
    group = parser.add_argument_group("how the data are read")
    group.add_argument("--images", type=text, metavar="DIR", help="where the images lie, when not where the labels say")
    group.add_argument(
        "--class-attribute",
        type=text,
        metavar="NAME",
        help="VIA's attribute that tells the class (else it is found by itself)",
    )
    if loss:
        group.add_argument(
            "--allow-loss", action="store_true", help="leave out what cannot be read instead of refusing the data"
        )


def reading_of(args: argparse.Namespace) -> "Reading":
    """What the options say."""
    from cadsight_core.formats import Reading

    images = Path(args.images) if args.images else None
    return Reading(images, args.class_attribute, getattr(args, "allow_loss", False))
