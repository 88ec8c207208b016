"""`cadsight gate`: whether a new detector is surely better than the one that is served."""

from __future__ import annotations

import argparse

from cadsight_active.gate_options import GateOptions
from cadsight_learning.options import MODELS_FOLDER

from cadsight_cli.arguments.options import add_options, options_of
from cadsight_cli.arguments.reading import add_reading, reading_of


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "gate",
        help="say whether a new detector is surely better than the one before",
        description="Compare two detectors on images that neither learned from, by a paired bootstrap. The status is 0 "
        "where the new one should be served, and 1 where it should not or nothing can be told.",
    )
    parser.add_argument("--served", required=True, metavar="M", help="folder of the model before, or its name")
    parser.add_argument("--new", required=True, metavar="M", help="folder of the new model, or its name")
    parser.add_argument("--models", default=MODELS_FOLDER, metavar="DIR", help="registry folder (%(default)s)")
    parser.add_argument("--data", nargs="+", required=True, metavar="DIR", help="labelled images, held out for ever")
    parser.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument("--json", metavar="FILE", help="write the verdict there")
    add_options(parser, GateOptions)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_active.gate import gate
    from cadsight_core.errors import CadsightError
    from cadsight_core.running.progress import progress_to, step
    from cadsight_learning.data.loading import load_together, unlabelled
    from cadsight_learning.evaluation.evaluate import evaluate_detector, in_classes_of
    from cadsight_learning.models import load_detector
    from cadsight_learning.registry.card import load_card
    from cadsight_learning.registry.provenance import refuse_learned
    from cadsight_learning.registry.store import find

    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    output = JsonOutput(args.json, "answer", "reason", "overall")
    options = options_of(args, GateOptions)
    folders = [find(name, args.models) for name in (args.served, args.new)]
    cards = [load_card(folder) for folder in folders]
    for folder, card in zip(folders, cards, strict=True):
        if card.kind != "detector":
            raise CadsightError(f"{folder} is a model of {card.kind}, expected a detector")
    reading, classes = reading_of(args), cards[0].classes
    if set(cards[1].classes) != set(classes):
        raise CadsightError(
            f"the models know the classes {', '.join(classes)} and {', '.join(cards[1].classes)}, expected the same"
        )
    with progress_to(counted):
        with step("images and labels read"):
            samples, names = load_together(args.data, reading=reading)
            notes = unlabelled(args.data, samples, reading)
        tables = []
        for folder, card in zip(folders, cards, strict=True):
            tests = in_classes_of(samples, names, card.classes)
            notes += refuse_learned(folder, tests)
            tables.append(evaluate_detector(load_detector(folder, device=args.device), tests).matches)
    for note in dict.fromkeys(notes):
        print(f"note: {note}")
    # In the order of the model before, whatever the order of the other.
    tables[1] = tables[1].in_order([cards[1].classes.index(name) for name in classes])
    verdict = gate(tables[0], tables[1], classes, options)
    for name, one in (("all classes", verdict.overall), *verdict.classes):
        if one is not None:
            print(f"{name:20} mAP50:95 {one.value:+.3f}, at least {one.low:+.3f}")
    print(f"{verdict.answer}: {verdict.reason}")
    output.write(verdict.to_json())
    return 0 if verdict.answer == "accept" else 1
