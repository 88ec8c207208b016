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
    from cadsight_active.gate import compare_detectors
    from cadsight_core.running.progress import progress_to, step
    from cadsight_learning.data.loading import load_together, unlabelled
    from cadsight_learning.registry.store import find

    from cadsight_cli.json_output import JsonOutput
    from cadsight_cli.progress import counted

    output = JsonOutput(args.json, "answer", "reason", "overall")
    options = options_of(args, GateOptions)
    served, new = (find(name, args.models) for name in (args.served, args.new))
    reading = reading_of(args)
    with progress_to(counted):
        with step("images and labels read"):
            samples, names = load_together(args.data, reading=reading)
            notes = unlabelled(args.data, samples, reading)
        compared = compare_detectors(served, new, samples, names, options, args.device)
    for note in dict.fromkeys([*notes, *compared.notes]):
        print(f"note: {note}")
    verdict = compared.verdict
    for name, one in (("all classes", verdict.overall), *verdict.classes):
        if one is not None:
            print(f"{name:20} mAP50:95 {one.value:+.3f}, at least {one.low:+.3f}")
    print(f"{verdict.answer}: {verdict.reason}")
    output.write(verdict.to_json())
    return 0 if verdict.answer == "accept" else 1
