"""`cadsight train generator`: a few images to a generator of more."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadsight_generation.unconditional.options import GeneratorOptions


def add_kind(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``generator`` to what ``cadsight train`` trains."""
    from cadsight_generation.unconditional.options import SCALES, GeneratorOptions

    from cadsight_cli.arguments.options import add_options
    from cadsight_cli.arguments.reading import add_reading
    from cadsight_cli.arguments.tracker import add_tracker
    from cadsight_cli.commands.generation._pretraining import add_pretraining

    sentence = "images like those in a folder: DCGAN with the losses of the thesis, or our own networks"
    one = kinds.add_parser(
        "generator",
        help=sentence,
        description=sentence + ". Options that are not given are the kind's, else the scale's. The status is 1 where "
        "the training was stopped because a loss was no number; the last good state is kept.",
    )
    one.add_argument("data", nargs="+", metavar="DIR", help="images to learn from: folders, or data sets")
    one.add_argument("--out", required=True, metavar="DIR", help="folder of the model, such as models/NAME")
    one.add_argument("--scale", default="cpu", choices=tuple(SCALES), help="how much work it is (%(default)s)")
    one.add_argument(
        "--add-generated", nargs="+", default=[], metavar="DIR",
        help="generated images to learn from beside the others: at most as many as these, looked for again after each "
        "epoch",
    )  # fmt: skip
    one.add_argument(
        "--held-out", nargs="+", default=[], metavar="DIR",
        help="images that nothing may learn from, such as those that generated ones are sorted by: refused where one "
        "of them is learned from, whatever it is called",
    )  # fmt: skip
    add_pretraining(one)
    add_tracker(one)
    add_reading(one)
    add_options(one, GeneratorOptions)
    one.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from cadsight_core.running.progress import progress_to, step
    from cadsight_generation.data.growing import TrainingImages
    from cadsight_generation.data.stack import Wanted, find_images, read_stack, refuse_alike
    from cadsight_generation.unconditional.options import GeneratorOptions, options_for
    from cadsight_generation.unconditional.training import fit_generator
    from cadsight_learning.data.loading import load_images
    from cadsight_learning.registry.model_folder import refuse_foreign_model
    from cadsight_learning.registry.provenance import by_content, refuse_shared

    from cadsight_cli.arguments.options import given_options
    from cadsight_cli.arguments.reading import reading_of
    from cadsight_cli.arguments.tracker import followed
    from cadsight_cli.commands.generation._pretraining import start_of
    from cadsight_cli.progress import counted

    refuse_foreign_model(args.out)
    options = options_for(args.scale, given_options(args, GeneratorOptions), "the command line")
    _refuse_idle(args, options)
    wanted = Wanted(options.size, {"auto": None, "yes": True, "no": False}[options.masks], options.grey)
    reading = reading_of(args)
    with progress_to(counted), step("images looked for"):
        found = find_images(args.data, reading)
        held_out = by_content(load_images(args.held_out, reading))
        refuse_shared(found.samples.values(), ", ".join(args.data), held_out, ", ".join(args.held_out))
        own = read_stack(found, wanted)
        refuse_alike(own, ", ".join(args.data))
        images = TrainingImages(own, wanted, args.add_generated, reading)
    print(f"{len(own)} images to learn from{f', with masks of {own.label}' if own.label else ''}")
    for sentence in own.notes:
        print(f"note: {sentence}")
    if images.added:
        print(f"{len(images.added)} generated images beside them")
    start = start_of(args, own, options)
    if start is not None:
        start.refuse_learned(held_out)
    with followed(args.out, args.track, asdict(options)) as report:
        card = fit_generator(images, args.out, options, report, start)
    if options.flips == "auto":
        print(f"mirror images that were learned from: {card.options['flips']}")
    losses = ", ".join(f"{name.removeprefix('train/')} {value:.3f}" for name, value in card.figures.items())
    print(f"started as {card.started_from}; {card.extra['images_seen']} images seen in {card.seconds:.0f} s: {losses}")
    print(args.out)
    if card.stopped:
        print(f"stopped early: {card.stopped}; the last good state, after epoch {card.epochs}, is kept")
        return 1
    return 0


def _refuse_idle(args: argparse.Namespace, options: "GeneratorOptions") -> None:
    from cadsight_cli.arguments.idle import refuse_idle

    if not options.r1:
        refuse_idle("where --r1 is 0", {"--r1-every": args.r1_every})
    if not (args.start or args.pretrain or args.pretrain_part):
        refuse_idle("without --start or --pretrain", {"--frozen": args.frozen})
