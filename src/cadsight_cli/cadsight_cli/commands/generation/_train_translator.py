"""`cadsight train translator`: synthetic images and real ones to a translator between them."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cadsight_generation.translation.training.fit import Domains


def add_kind(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``translator`` to what ``cadsight train`` trains."""
    from cadsight_generation.translation.options import SCALES, TranslatorOptions
    from cadsight_learning.options import MODELS_FOLDER

    from cadsight_cli.arguments.options import add_options
    from cadsight_cli.arguments.reading import add_reading
    from cadsight_cli.arguments.tracker import add_tracker

    sentence = "synthetic images in the look of real ones, with their labels: CycleGAN, CUT, both demodulated"
    one = kinds.add_parser(
        "translator",
        help=sentence,
        description=sentence + ". The epoch is kept that is nearest to held-out real images (KID) among those in which "
        "the labels of synthetic images hold. Options that are not given are the kind's, else the scale's. The status "
        "is 1 where too few labels hold in every epoch, or a loss was no number.",
    )
    one.add_argument("--synthetic", required=True, metavar="DIR", help="labelled synthetic images, with masks")
    one.add_argument("--real", required=True, metavar="DIR", help="real images, labelled or not")
    one.add_argument("--held-out", metavar="DIR", help="real images to choose the epoch by (else a part of --real)")
    one.add_argument("--out", required=True, metavar="DIR", help="folder of the model, such as models/NAME")
    one.add_argument("--scale", default="cpu", choices=tuple(SCALES), help="how much work it is (%(default)s)")
    one.add_argument("--detector", metavar="M", help="a detector that must say the same before and after")
    one.add_argument("--regressor", metavar="M", help="a regressor of normals that must say the same before and after")
    one.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry of these two (%(default)s)")
    add_tracker(one)
    add_reading(one)
    add_options(one, TranslatorOptions)
    one.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from cadsight_core.running.progress import progress_to
    from cadsight_generation.translation.objectives.agreement import frozen
    from cadsight_generation.translation.options import TranslatorOptions, options_for
    from cadsight_generation.translation.training.fit import fit_translator
    from cadsight_learning.registry.model_folder import refuse_foreign_model

    from cadsight_cli.arguments.holding import check_of
    from cadsight_cli.arguments.options import given_options
    from cadsight_cli.arguments.tracker import followed
    from cadsight_cli.progress import counted

    refuse_foreign_model(args.out)
    options = options_for(args.scale, given_options(args, TranslatorOptions), "the command line")
    with progress_to(counted):
        domains, notes = _domains(args)
    for sentence in notes:
        print(f"note: {sentence}")
    check = check_of(args)
    models = [frozen(m, args.models, options.size, options.longer) for m in (args.detector, args.regressor) if m]
    with followed(args.out, args.track, asdict(options)) as report:
        card = fit_translator(domains, args.out, options, report, check, models)
    _summary(card, args.out)
    return 0 if card.extra["labels_hold"] and not card.stopped else 1


def _domains(args: argparse.Namespace) -> "tuple[Domains, list[str]]":
    from cadsight_generation.translation.domains.domain import compared, domain_of
    from cadsight_generation.translation.domains.normal_maps import meshes_of
    from cadsight_generation.translation.training.fit import Domains
    from cadsight_learning.data.loading import split_train_valid
    from cadsight_learning.registry.provenance import by_content, refuse_shared

    from cadsight_cli.arguments.reading import reading_of
    from cadsight_core import formats

    reading = reading_of(args)
    drawn, classes = formats.load(args.synthetic, reading)
    taken, real_classes = formats.load(args.real, reading)
    if args.held_out:
        held_out, how = formats.load(args.held_out, reading)[0], f"held out are those of {args.held_out}"
    else:
        taken, held_out, how = split_train_valid(taken)
    refuse_shared(taken, args.real, by_content(held_out), args.held_out or "the held-out images")
    synthetic = domain_of("synthetic", drawn, 2, meshes_of(args.synthetic))
    real = domain_of("real", taken, 2)
    notes = compared(synthetic, real, (classes, real_classes))
    print(f"{len(synthetic.samples)} synthetic images and {len(real.samples)} real ones to learn from: {how}")
    return Domains(synthetic, real, held_out, classes), notes


def _summary(card: Any, out: str) -> None:
    figures, extra = card.figures, card.extra
    print(
        f"epoch {card.best_epoch} of {card.epochs} kept after {card.seconds:.0f} s and {extra['images_seen']} images: "
        f"KID to held-out real images {figures['kid']:.4f} ({extra['untranslated_kid']:.4f} untranslated), "
        f"labels hold in {figures['holding']:.0%} of the images"
    )
    if card.stopped:
        print(f"stopped early: {card.stopped}; the best epoch until then was kept")
    if not extra["labels_hold"]:
        print(f"in no epoch did labels hold in {card.options['least_holding']:.0%}; the one in which most did is kept")
    print(out)
