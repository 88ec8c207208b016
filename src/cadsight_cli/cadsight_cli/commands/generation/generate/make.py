"""`cadsight generate make`: a data set of images that a generator makes."""

import argparse

from cadsight_cli.arguments.types import COUNT, SEED


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER

    parser = actions.add_parser(
        "make",
        help="a data set of images that a generator makes",
        description="Write images of a generator as a data set, each with its mask where the generator learned masks. "
        "Interrupted, the same command goes on; image N of a seed is the same whatever the count.",
    )
    parser.add_argument("--model", required=True, metavar="M", help="folder of a generator, or its name in --models")
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.add_argument("--count", type=COUNT, required=True, metavar="N", help="number of images")
    parser.add_argument("--out", required=True, metavar="DIR", help="new data set; one that is there is continued")
    parser.add_argument("--seed", type=SEED, default=0, help="of the random numbers that images are made of (0)")
    parser.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda or cuda:N (auto)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_generation.unconditional.generating import write_generated
    from cadsight_generation.unconditional.model import load_generator
    from cadsight_learning.registry.store import find

    from cadsight_cli.progress import image_bar

    model = load_generator(find(args.model, args.models), args.device)
    dataset = write_generated(model, args.count, args.out, args.seed, image_bar)
    print(dataset.folder)
    return 0
