"""`cadsight report`: the page and the figures of a run, or any runs side by side."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "report",
        help="write the page of a run, or of any runs side by side",
        description="Of one run such as `cadsight demo` makes: evaluate its labels, models and live look, and write "
        "report.html and report.json into it; what it lacks is said on the page. Of an experiment, a model, or several "
        "of any kind: one page with their figures and intervals, curves, errors and saliency side by side, and of an "
        "experiment what its synthetic images bought.",
    )
    parser.add_argument(
        "run_folders", nargs="+", metavar="RUN", help="folder of a run such as runs/demo, of a model or an experiment"
    )
    parser.add_argument("--data", metavar="DIR", help="several: labelled images to evaluate models and runs on")
    parser.add_argument("--split", default="", choices=("train", "valid", "test"), help="only this split of --data")
    parser.add_argument("--part", nargs="+", metavar="YAML", help="parts whose symmetry counts for normals on --data")
    parser.add_argument(
        "--out", metavar="HTML", help="several: the page (report.html in the one RUN, or here where there are more)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_core.parts.part import load_part
    from cadsight_report.side_by_side.entries import TestImages, stands_alone

    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.demo.steps.reporting import report, report_side_by_side

    if not args.data:
        refuse_idle("without --data", {"--split": args.split, "--part": args.part})
    folders = [Path(folder) for folder in args.run_folders]
    if len(folders) == 1 and not stands_alone(folders[0]) and not args.data and not args.out:
        print(report(folders[0]))
        return 0
    page = Path(args.out) if args.out else (folders[0] if len(folders) == 1 else Path()) / "report.html"
    test = TestImages(args.data, args.split, [load_part(path) for path in args.part or ()]) if args.data else None
    print(report_side_by_side(folders, page, test))
    return 0
