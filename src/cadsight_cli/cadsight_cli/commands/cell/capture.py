"""`cadsight capture`: takes or continues a session of images in a running cell."""

from __future__ import annotations

import argparse

from cadsight_cli.arguments.types import COUNT, SEED


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "capture",
        help="capture a session of images in a running cell",
        description="Capture a session of images: random poses, one image each, written as a data set. The cell and "
        "the capture node must run (cadsight launch workcell). A session that is there is continued; Ctrl-C stops it "
        "cleanly, and the same command goes on.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="session's folder, relative to the node's output_folder")
    parser.add_argument("--session", help="name of the session (default: the folder's name)")
    parser.add_argument("--split", choices=("train", "valid", "test"), default="train", help="default: %(default)s")
    parser.add_argument("--count", type=COUNT, default=120, help="images when it is done (default: %(default)s)")
    parser.add_argument("--seed", type=SEED, default=0, help="decides the poses (default: %(default)s)")
    parser.add_argument(
        "--server", default="/cadsight/capture/capture_session", help="action of the node (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from cadsight_capture.client import CaptureClient
    from cadsight_capture.session import SessionPlan
    from cadsight_ros.node.programs import temporary_node
    from tqdm import tqdm

    plan = SessionPlan(args.session or Path(args.folder).name, args.split, args.count, args.seed)
    with temporary_node("capture_client") as node, tqdm(total=plan.count, unit="image", desc=plan.session) as bar:
        skips: list[str] = [""]

        def report(feedback) -> None:
            if skips[-1] != feedback.last_skip:
                skips.append(feedback.last_skip)
                bar.write(f"cadsight: {feedback.last_skip}")
            bar.set_postfix({"skipped": feedback.skipped}, refresh=False)
            bar.update(feedback.captured - bar.n)

        result = CaptureClient(node, server=args.server).capture(args.folder, plan, report)
        bar.update(result.captured - bar.n)
    print(result.message)
    return 0
