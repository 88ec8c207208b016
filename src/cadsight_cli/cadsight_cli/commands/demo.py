"""`cadsight demo`: the main job, from the simulated cell to the report."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    from cadsight_cli.arguments.options import add_options
    from cadsight_cli.demo.settings import DemoSettings

    parser = subparsers.add_parser(
        "demo",
        help="capture, label, train, look and report on the simulated cell",
        description="Start the simulated cell, capture three sessions, label them, write the data set, train both "
        "models, look live, replay, and report. Stopped with Ctrl-C or killed, the same command goes on where it was. "
        "With other settings the steps that they concern are done again, and those that read them.",
    )
    parser.add_argument("--out", default="runs/demo", metavar="DIR", help="folder of the run (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few images and one epoch, to see that all of it runs")
    parser.add_argument("--config", metavar="YAML", help="parameter file of all nodes (config/workcell.yaml)")
    parser.add_argument(
        "--recapture",
        action="store_true",
        help="capture again what was captured with other settings, another part or other parameters",
    )
    add_options(parser, DemoSettings)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import os
    import signal
    from pathlib import Path

    from cadsight_core.storage.files import alone_in
    from cadsight_core.storage.folders.run_folder import RunFolder
    from cadsight_report.figures import read_figures
    from cadsight_ros.domains import own_domain

    from cadsight_cli.arguments.options import given_options
    from cadsight_cli.demo.pipeline import Pipeline
    from cadsight_cli.demo.resuming.ownership import refuse_foreign_run
    from cadsight_cli.demo.settings import QUICK, DemoSettings, is_quick, settings_of
    from cadsight_cli.demo.verdict import verdict

    refuse_foreign_run(args.out)
    # A domain of its own, so that nodes of other runs on this machine do not answer.
    os.environ.setdefault("ROS_DOMAIN_ID", str(own_domain()))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = given_options(args, DemoSettings)
    settings = settings_of((QUICK if args.quick else {}) | given, RunFolder(Path(args.out)).settings)
    config = Path(args.config) if args.config else _own_config()
    with alone_in(args.out):
        page = Pipeline(Path(args.out), settings, config, args.recapture, print).go()
    lines, finds = verdict(read_figures(page.with_suffix(".json")), settings, args.quick or is_quick(settings))
    print(*lines, page, sep="\n")
    return 0 if finds else 1


def _own_config():
    from cadsight_ros.resources import resolve

    return resolve("package://cadsight/config/workcell.yaml")
