"""`cadsight data show`."""

import argparse

from cadsight_cli.arguments.reading import add_reading, reading_of
from cadsight_cli.arguments.types import COUNT, SEED


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "show", help="draw labels on a few images", description="Draw the labels on a few images of a data set."
    )
    parser.add_argument("source", metavar="DIR", help="data set: a folder, or a data.yaml, JSON or labels file")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the drawn images")
    parser.add_argument("--count", type=COUNT, default=12, metavar="N", help="number of images (12)")
    parser.add_argument("--seed", type=SEED, default=0, help="seed of the choice (0)")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import numpy as np
    from cadsight_core.formats import load
    from cadsight_core.imaging.drawing import draw_instances
    from cadsight_core.imaging.images import read_image, write_image
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.files import inside
    from cadsight_core.storage.output_folder import whole_folder

    from cadsight_cli.progress import counted

    with progress_to(counted):
        samples, classes = load(args.source, reading_of(args))
    count = min(args.count, len(samples))
    chosen = sorted(np.random.default_rng(args.seed).choice(len(samples), count, replace=False).tolist())
    with whole_folder(args.out) as work:
        for index in counted(chosen, count, "images drawn"):
            sample = samples[index]
            image = draw_instances(read_image(sample.image), sample.instances, classes)
            write_image(inside(work, f"{sample.name}.png"), image)
    print(f"{count} of {len(samples)} images")
    print(args.out)
    return 0
