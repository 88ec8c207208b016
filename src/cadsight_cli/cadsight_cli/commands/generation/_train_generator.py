"""`cadsight train generator`: a few images to a generator of more."""

import argparse


def add_kind(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``generator`` to what ``cadsight train`` trains."""
    from cadsight_generation.unconditional.options import SCALES, GeneratorOptions

    from cadsight_cli.arguments.options import add_options
    from cadsight_cli.arguments.reading import add_reading
    from cadsight_cli.arguments.tracker import add_tracker

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
    one.add_argument("--start", metavar="M", help="folder of a generator to go on from, of the same kind and sizes")
    one.add_argument(
        "--add-generated", nargs="+", default=[], metavar="DIR",
        help="generated images to learn from beside the others: at most as many as these, looked for again after each "
        "epoch",
    )  # fmt: skip
    add_tracker(one)
    add_reading(one)
    add_options(one, GeneratorOptions)
    one.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict, fields

    from cadsight_core.running.progress import progress_to, step
    from cadsight_generation.data.growing import TrainingImages
    from cadsight_generation.data.stack import Wanted, find_images, read_stack, refuse_alike
    from cadsight_generation.unconditional.model import load_generator
    from cadsight_generation.unconditional.options import GeneratorOptions, options_for
    from cadsight_generation.unconditional.training import fit_generator
    from cadsight_learning.registry.model_folder import refuse_foreign_model

    from cadsight_cli.arguments.reading import reading_of
    from cadsight_cli.arguments.tracker import followed
    from cadsight_cli.progress import counted

    refuse_foreign_model(args.out)
    given = {f.name: getattr(args, f.name) for f in fields(GeneratorOptions) if getattr(args, f.name) is not None}
    options = options_for(args.scale, given, "the command line")
    wanted = Wanted(options.size, {"auto": None, "yes": True, "no": False}[options.masks], options.grey)
    reading = reading_of(args)
    with progress_to(counted), step("images looked for"):
        own = read_stack(find_images(args.data, reading), wanted)
        refuse_alike(own, ", ".join(args.data))
        images = TrainingImages(own, wanted, args.add_generated, reading)
    print(f"{len(own)} images to learn from{f', with masks of {own.label}' if own.label else ''}")
    for sentence in own.notes:
        print(f"note: {sentence}")
    if images.added:
        print(f"{len(images.added)} generated images beside them")
    start = load_generator(args.start, "cpu") if args.start else None
    with followed(args, asdict(options)) as report:
        card = fit_generator(images, args.out, options, report, start)
    losses = ", ".join(f"{name.removeprefix('train/')} {value:.3f}" for name, value in card.figures.items())
    print(f"started as {card.started_from}; {card.extra['images_seen']} images seen in {card.seconds:.0f} s: {losses}")
    print(args.out)
    if card.stopped:
        print(f"stopped early: {card.stopped}; the last good state, after epoch {card.epochs}, is kept")
        return 1
    return 0
