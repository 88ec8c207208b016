"""`cadsight live`: records the camera and the results of the perception node, and reports."""

import argparse
import sys
from pathlib import Path

from cadsight_cli.arguments.camera_topics import add_camera_topics, camera_topics
from cadsight_cli.arguments.types import POSITIVE

_SHOWN = (
    "frames", "dropped", "wrong_stamps", "latency_ms_p50", "latency_ms_p99", "overhead_ms_p50", "detector_ms_p50",
    "regressor_ms_p50", "transport_ms_p50",
)  # fmt: skip


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "live",
        help="record a live run of the perception node, and report it",
        description="Record the camera, the arm and the results of the running perception node into a bag, and write "
        "live.json: frames, latencies, drops and every result. Start the nodes first, for example with "
        "'cadsight launch workcell.launch.xml perception:=true'.",
    )
    parser.add_argument("--out", default="runs/live", metavar="DIR", help="folder of bag/ and live.json (%(default)s)")
    parser.add_argument("--seconds", type=POSITIVE, default=30.0, metavar="S", help="how long (%(default)s)")
    parser.add_argument(
        "--timeout",
        type=POSITIVE,
        default=30.0,
        metavar="S",
        help="how long to wait for a node that tells nothing (%(default)s)",
    )
    add_camera_topics(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_perception.recording.live import BAG, REPORT, record_live, refuse_foreign_bag
    from cadsight_ros.node.programs import temporary_node

    from cadsight_cli.progress import Spoken, seconds_bar

    folder = Path(args.out)
    refuse_foreign_bag(folder / BAG)
    with temporary_node("live") as node, seconds_bar("live", args.seconds) as progress:
        report = record_live(
            node, folder, args.seconds, args.timeout, progress, Spoken("perception"), *camera_topics(args)
        )
    for key in _SHOWN:
        value = getattr(report.figures, key)
        print(f"{key:20} {value:.1f}" if isinstance(value, float) else f"{key:20} {value}")
    if not report.figures.detections:
        print(f"cadsight: nothing was detected in {report.figures.frames} images", file=sys.stderr)
    print(folder / REPORT)
    return 0
