"""`cadsight generate label`: generated images whose masks a detector agrees with, as labelled images."""

import argparse


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_generation.agreement.options import AgreementOptions
    from cadsight_learning.options import MODELS_FOLDER

    from cadsight_cli.arguments.options import add_options

    parser = actions.add_parser(
        "label",
        help="keep generated images whose masks a detector agrees with",
        description="Keep those generated images, with the boxes of their masks as labels, of which a detector that "
        "never saw them finds the same objects. Refused images are counted by reason.",
    )
    parser.add_argument("data", metavar="SET", help="generated images with masks, of `cadsight generate make`")
    parser.add_argument("--detector", required=True, metavar="M", help="folder of a detector, or its name in --models")
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.add_argument("--out", required=True, metavar="DIR", help="new data set")
    parser.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda or cuda:N (auto)")
    add_options(parser, AgreementOptions)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.running.progress import progress_to
    from cadsight_core.storage.output_folder import refuse_foreign
    from cadsight_generation.agreement.labels import write_agreed
    from cadsight_generation.agreement.options import AgreementOptions
    from cadsight_learning.models import load_detector
    from cadsight_learning.registry.provenance import refuse_learned
    from cadsight_learning.registry.store import find

    from cadsight_cli.arguments.options import options_of
    from cadsight_cli.progress import counted
    from cadsight_core import formats

    refuse_foreign(args.out, replace=False)
    options = options_of(args, AgreementOptions)
    samples, classes = formats.load(args.data)
    with progress_to(counted):
        for sentence in refuse_learned(find(args.detector, args.models), samples):
            print(f"note: {sentence}")
        detector = load_detector(args.detector, args.models, device=args.device)
        agreed = write_agreed(samples, classes, detector, args.out, options)
    print(f"{len(agreed.dataset)} of {len(samples)} images kept")
    for reason, count in sorted(agreed.refused.items(), key=lambda one: -one[1]):
        print(f"{count} refused: {reason}")
    print(agreed.dataset.folder)
    return 0
