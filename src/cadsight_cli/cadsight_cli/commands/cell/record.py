"""`cadsight record`: the camera, the arm and the results, in a bag."""

import argparse
from pathlib import Path

from cadsight_cli.arguments.camera_topics import add_camera_topics, camera_topics
from cadsight_cli.arguments.types import number


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "record",
        help="record the camera, the arm and the results into an MCAP bag",
        description="Record images, camera_info, joint states, transforms, results and diagnostics into an MCAP bag, "
        "which 'ros2 bag play' and 'cadsight replay' play. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="the bag, a folder; an earlier one of ours is replaced"
    )
    parser.add_argument(
        "--seconds", type=number(0), default=0.0, metavar="S", help="how long; 0: until Ctrl-C (%(default)s)"
    )
    add_camera_topics(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_perception.recording.live import record, refuse_foreign_bag
    from cadsight_perception.topics import BESIDE, camera
    from cadsight_ros.node.programs import temporary_node

    from cadsight_cli.progress import seconds_bar

    recorded = {**camera(*camera_topics(args)), **BESIDE}
    folder = Path(args.out)
    refuse_foreign_bag(folder)
    with temporary_node("record") as node, seconds_bar("record", args.seconds) as progress:
        counts = record(node, folder, recorded, args.seconds, progress)
    for topic, count in counts.items():
        print(f"{count:8} {topic}")
    silent = [topic for topic, count in counts.items() if not count]
    if silent:
        print(f"nothing came on {', '.join(silent)}")
    print(folder)
    return 0
