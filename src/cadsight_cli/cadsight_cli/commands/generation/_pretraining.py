"""Drawn views that a generator learns from before the images that it is for."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_cli.arguments.types import COUNT, text

if TYPE_CHECKING:
    from cadsight_generation.data.stack import ImageStack
    from cadsight_generation.unconditional.model import TrainedGenerator
    from cadsight_generation.unconditional.options import GeneratorOptions

# In the folder of the model.
_DRAWN, _PRETRAINED = "drawn", "pretrained"
_IMAGES = 2000
# Of the drawn images, whatever the network takes.
_LEAST_SIDE = 64


def add_pretraining(parser: argparse.ArgumentParser) -> None:
    """Add where a generator starts."""
    group = parser.add_argument_group("where it starts")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--start", type=text, metavar="M", help="folder of a generator to go on from, of the same kind and sizes"
    )
    where.add_argument(
        "--pretrain", nargs="+", default=[], type=text, metavar="DIR",
        help="learn from these first, such as thousands of drawn views of the part, then from the images",
    )  # fmt: skip
    where.add_argument(
        "--pretrain-part", type=text, metavar="YAML",
        help="learn first from views of this part, drawn from all sides before the images' mean colour",
    )  # fmt: skip
    group.add_argument(
        "--pretrain-images", type=COUNT, metavar="N", help=f"views to draw of --pretrain-part ({_IMAGES})"
    )
    group.add_argument(
        "--pretrain-images-seen", type=COUNT, metavar="N", help="as --images-seen, before (--images-seen)"
    )


def start_of(args: argparse.Namespace, own: "ImageStack", options: "GeneratorOptions") -> "TrainedGenerator | None":
    """The generator that a training on ``own`` goes on from, trained first where that is asked for."""
    from dataclasses import asdict, replace

    from cadsight_core.running.progress import progress_to
    from cadsight_generation.data.growing import TrainingImages
    from cadsight_generation.data.stack import Wanted, find_images, read_stack, refuse_alike
    from cadsight_generation.unconditional.model import load_generator
    from cadsight_generation.unconditional.pretraining import pretrained

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.arguments.tracker import followed
    from cadsight_cli.progress import counted

    if not args.pretrain_part:
        refuse_idle("without --pretrain-part", {"--pretrain-images": args.pretrain_images})
    if args.start:
        return load_generator(args.start, "cpu")
    if not args.pretrain and not args.pretrain_part:
        refuse_idle("without --pretrain", {"--pretrain-images-seen": args.pretrain_images_seen})
        return None
    wanted = Wanted(options.size, own.label != "", options.grey)
    with progress_to(counted):
        folders = args.pretrain or [_draw(args, own, options)]
        stack = read_stack(find_images(folders), wanted)
    refuse_alike(stack, ", ".join(map(str, folders)))
    print(f"{len(stack)} images to learn from first{f', with masks of {stack.label}' if stack.label else ''}")
    before = replace(options, images_seen=args.pretrain_images_seen or options.images_seen, frozen=0)
    folder = Path(args.out) / _PRETRAINED
    with followed(folder, args.track, asdict(before), "pre-training") as report:
        return pretrained(TrainingImages(stack, wanted), folder, before, report)


def _draw(args: argparse.Namespace, own: "ImageStack", options: "GeneratorOptions") -> Path:
    """The data set of views of the part, drawn where it lacks some."""
    from cadsight_core.parts.part import load_part
    from cadsight_synthesis.datasets.rendered import images_of, write_set
    from cadsight_synthesis.recipes.base import ImageParameters
    from cadsight_synthesis.recipes.randomised import BehindParameters, DistractorParameters, RandomisedRecipe

    from cadsight_cli.progress import image_bar

    side = max(options.size, _LEAST_SIDE)
    width, height = (round(side * own.aspect), side) if own.aspect >= 1 else (side, round(side / own.aspect))
    red, green, blue = ((own.pixels[:, :3].float().mean(dim=(0, 2, 3)) / 255) ** 2.2).tolist()
    recipe = RandomisedRecipe(
        kind="randomised",
        seed=options.seed,
        name=_DRAWN,
        parts=(load_part(args.pretrain_part),),
        image=ImageParameters(width=width, height=height, field_of_view_deg=(35.0, 55.0)),
        distractors=DistractorParameters(count=(0, 0)),
        background=BehindParameters(photographs=(), colour=(red, green, blue)),
    )
    folder = Path(args.out) / _DRAWN
    write_set(images_of(recipe, "raster"), args.pretrain_images or _IMAGES, folder, progress=image_bar)
    return folder
