"""`cadsight report`: the page and the figures of a run."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "report",
        help="write the page and the figures of a run",
        description="Judge the labels, the models and the live look of a run such as `cadsight demo` makes, and "
        "write report.html and report.json into it. What the run lacks is said on the page.",
    )
    parser.add_argument("run_folder", metavar="RUN", help="folder of the run, such as runs/demo")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_cli.demo.reporting import report

    print(report(args.run_folder))
    return 0
