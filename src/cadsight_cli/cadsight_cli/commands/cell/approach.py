"""`cadsight approach`: moves the arm to where its tool stands before a part that the camera sees."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cadsight_cli.arguments.types import POSITIVE, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadsight_cell.reaching.client import MotionClient

    from cadsight_interfaces.msg import Approach


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "approach",
        help="move the arm to where its tool stands before a part",
        description="Ask the perception node where the tool may stand before the part that it is surest of, or the "
        "next that the arm reaches, plan a way there around the cell's bodies, and move at low speed. An arm that is "
        "not simulated is moved only after a yes. Ctrl-C stops the arm.",
    )
    parser.add_argument("--class", dest="name", metavar="NAME", help="approach a part of this class (any)")
    parser.add_argument(
        "--speed", type=number(maximum=1, above=0), default=0.1, metavar="F",
        help="fraction of the joints' velocity limits (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="move an arm that is not simulated without asking")
    parser.add_argument("--dry-run", action="store_true", help="say where the arm would go, and move nothing")
    parser.add_argument(
        "--timeout", type=POSITIVE, default=30.0, metavar="S", help="longest wait for the nodes, seconds (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import signal

    import numpy as np
    from cadsight_cell.reaching.client import MotionClient
    from cadsight_core.errors import CadsightError
    from cadsight_perception.approach_client import ApproachListener, most_confident_first
    from cadsight_ros.node.programs import temporary_node
    from tqdm import tqdm

    # Told to end by either signal, the arm is stopped first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with temporary_node("approach_client") as node:
        motion = MotionClient(node, args.timeout)
        seen = most_confident_first(ApproachListener(node).next(args.timeout), args.name)
        joints = _reached(motion, seen)
        degrees = ", ".join(f"{np.rad2deg(v):.1f}" for v in joints.values())
        print(f"joints at {degrees} degrees, at {args.speed:.0%} of their speed")
        if args.dry_run:
            return 0
        if not motion.is_simulated and not args.yes and not _agreed():
            raise CadsightError("the arm was not moved, expected a yes, or --yes")
        with tqdm(total=100, unit="%", desc="motion", leave=False) as bar:
            print(motion.move(joints, args.speed, lambda fraction: bar.update(round(100 * fraction) - bar.n)))
    return 0


def _reached(motion: MotionClient, seen: Sequence[Approach]) -> dict[str, float]:
    """Joint angles for the first that the arm reaches; why it does not reach those before is said."""
    from cadsight_cell.reaching.client import NoJointsError

    for place, one in enumerate(seen, start=1):
        for line in _lines(one):
            print(line)
        try:
            return motion.find(one.pose.pose)
        except NoJointsError as error:
            if place == len(seen) or error.reason not in ("unreachable", "colliding"):
                raise
            print(f"not there: {error}")
    raise AssertionError("nothing was seen")


def _lines(chosen: Approach) -> list[str]:
    import numpy as np

    point, pose = chosen.point, chosen.pose.pose.position
    spread = 1000 * np.sqrt(np.diag(np.reshape(chosen.point_covariance, (3, 3))))
    return [
        f"{chosen.class_id} with a score of {chosen.score:.2f}, found by {chosen.method}",
        f"point of interest at {_millimetres(point)} mm in base_link, "
        f"known to {', '.join(f'{v:.1f}' for v in spread)} mm",
        f"the tool goes to {_millimetres(pose)} mm",
    ]


def _millimetres(place: object) -> str:
    return ", ".join(f"{1000 * getattr(place, axis):.0f}" for axis in "xyz")


def _agreed() -> bool:
    try:
        return input("move the arm there? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
