"""`cadsight replay`: a recorded camera through the running perception node, and the same report as live."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cadsight_core.storage.json_text import figures_text

from cadsight_cli.arguments.types import POSITIVE

if TYPE_CHECKING:
    from cadsight_core.storage.folders.live_report import ReplayVerdict


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cadsight_perception.parameters import ReplayParameters

    parser = subparsers.add_parser(
        "replay",
        help="play a bag through the perception node and compare with the live run",
        description="Publish a bag's images and camera_info to the running perception node, each after the result of "
        "the one before or as they were taken, and write the same report as 'cadsight live'. No other camera may "
        "publish.",
    )
    parser.add_argument("bag", metavar="BAG", nargs="?", help="folder of the recorded bag")
    parser.add_argument(
        "--check", metavar="JSON",
        help="play nothing: read the verdict of a replay's report, status 0 where it was equal to the live run, else 1",
    )  # fmt: skip
    parser.add_argument(
        "--topics", nargs="+", metavar="WHAT=TOPIC", default=[],
        help=f"how the bag calls what is played: image=TOPIC, raw or compressed ({ReplayParameters.image_topic}), and "
        f"camera_info=TOPIC ({ReplayParameters.camera_info_topic})",
    )  # fmt: skip
    parser.add_argument(
        "--calibration", metavar="YAML",
        help="intrinsics as camera_calibration writes them, in place of the bag's (the bag's)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="JSON", help="the report (replay.json beside the bag)")
    parser.add_argument("--live", metavar="JSON", help="report of the live run (live.json beside the bag, if there)")
    parser.add_argument(
        "--paced", action="store_true", help="as far apart as they were taken: what the node is too slow for is dropped"
    )
    parser.add_argument("--rate", type=POSITIVE, help="with --paced: how many times faster than recorded (1)")
    parser.add_argument(
        "--timeout", type=POSITIVE, metavar="S",
        help=f"how long to wait for the node, and how long it may give no result ({ReplayParameters.timeout_s})",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_core.errors import CadsightError
    from cadsight_core.storage.folders.live_report import is_live_report, read_live_report
    from cadsight_core.storage.output_file import refuse_foreign_file, write_output
    from cadsight_perception.parameters import ReplayParameters
    from cadsight_perception.recording.live import REPORT
    from cadsight_perception.recording.live_report import checked_report, compared_with
    from cadsight_perception.recording.replay import Replay
    from cadsight_ros.node.programs import temporary_node
    from tqdm import tqdm

    from cadsight_cli.arguments.idle import refuse_idle

    if (args.bag is None) == (args.check is None):
        raise CadsightError("a replay has either BAG to play or --check JSON, expected one of the two")
    if args.check is not None:
        played = {"--out": args.out, "--live": args.live, "--paced": args.paced, "--rate": args.rate}
        named = {"--topics": args.topics or None, "--calibration": args.calibration}
        refuse_idle("with --check", played | named | {"--timeout": args.timeout})
        return _print_verdict(checked_report(args.check))
    if not args.paced:
        refuse_idle("without --paced", {"--rate": args.rate})
    bag = Path(args.bag)
    beside = bag.resolve().parent
    live_path = Path(args.live) if args.live else beside / REPORT
    live = read_live_report(live_path) if args.live or live_path.is_file() else None
    out = Path(args.out) if args.out else beside / "replay.json"
    refuse_foreign_file(out, is_live_report)
    topics = _topics(args.topics)
    calibration = Path(args.calibration) if args.calibration else None
    timeout_s = args.timeout or ReplayParameters.timeout_s
    with temporary_node("replay") as node, tqdm(desc="replay", unit="image") as bar:
        report = Replay(node, timeout_s).play(
            bag, paced=args.paced, rate=args.rate or 1.0, calibration=calibration, progress=bar.update, **topics
        )
    replayed = compared_with(live, report)
    write_output(out, figures_text(replayed.to_json(), indent=1) + "\n", is_live_report)
    figures = report.figures
    print(f"{figures.frames} frames, {figures.dropped} dropped")
    if not figures.detections:
        print(f"cadsight: nothing was detected in {figures.frames} images", file=sys.stderr)
    status = 0 if replayed.verdict is None else _print_verdict(replayed.verdict)
    print(out)
    return status


def _topics(words: list[str]) -> dict[str, str]:
    """What ``--topics`` says, as :meth:`Replay.play` takes it."""
    from cadsight_core.config.parameters import checked
    from cadsight_core.errors import CadsightError
    from cadsight_perception.parameters import ReplayParameters

    found = {}
    for word in words:
        what, _, topic = word.partition("=")
        if what not in ("image", "camera_info"):
            raise CadsightError(f"--topics is {word!r}, expected image=TOPIC or camera_info=TOPIC")
        found[f"{what}_topic"] = checked(ReplayParameters, f"{what}_topic", topic)
    return found


def _print_verdict(found: "ReplayVerdict") -> int:
    """Print how a replay's report compares with the live run; return the exit status."""
    verdict = "equal to the live run" if found.equal else "NOT equal to the live run"
    print(f"{verdict}: {found.compared} of {found.live_results} live results compared", end=", ")
    print(f"{found.different} of them different")
    for sentence in found.differences:
        print(f"  {sentence}")
    return 0 if found.equal else 1
