"""`cadsight translate`: a labelled set in the look of real images."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_learning.options import MODELS_FOLDER, device_parameter

    from cadsight_cli.arguments.reading import add_reading

    parser = subparsers.add_parser(
        "translate",
        help="give labelled synthetic images the look of real ones",
        description="Write a labelled data set whose images a translator changed. Each image is held to its labels; "
        "those whose labels do not hold are left out and counted by reason. A run that was stopped goes on where it "
        "was.",
    )
    parser.add_argument("--model", required=True, metavar="M", help="translator: its folder, or its name in --models")
    parser.add_argument("--data", required=True, metavar="DIR", help="labelled images to translate")
    parser.add_argument("--out", required=True, metavar="DIR", help="new data set; one that is there is continued")
    parser.add_argument("--detector", metavar="M", help="a detector that must find the same before and after")
    parser.add_argument("--regressor", metavar="M", help="a regressor whose normals must be the same within 3 degrees")
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry of the models (%(default)s)")
    parser.add_argument(
        "--device", default="auto", metavar="DEVICE", help=device_parameter().metadata["description"] + " (auto)"
    )
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.running.progress import progress_to
    from cadsight_generation.translation.domains.normal_maps import meshes_of
    from cadsight_generation.translation.model import load_translator
    from cadsight_generation.translation.translating import REFUSED, refuse_other_files, translate_set

    from cadsight_cli.arguments.holding import check_of
    from cadsight_cli.arguments.reading import reading_of
    from cadsight_cli.progress import counted, image_bar
    from cadsight_core import formats

    refuse_other_files(args.out)
    with progress_to(counted):
        samples, classes = formats.load(args.data, reading_of(args))
    translator = load_translator(args.model, args.models, args.device, meshes_of(args.data))
    with progress_to(image_bar):
        done = translate_set(samples, classes, translator, args.out, check_of(args))
    print(f"{len(done.dataset)} images, and {done.left_out} left out whose labels do not hold")
    for reason, count in done.refused.items():
        print(f"  {count} {reason}")
    if done.left_out:
        print(done.dataset.folder / REFUSED)
    print(done.dataset.folder)
    return 0
