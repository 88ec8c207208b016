"""The live step: the perception node looks while the arm moves, a bag is kept of it and replayed through the node."""

import tempfile
import threading
from pathlib import Path
from typing import Any

from cadsight_capture.session import SessionPlan
from cadsight_cell.simulation.truth import truth_files
from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.live_report import LiveReport
from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_core.storage.output_folder import whole_folder
from cadsight_perception.health.presence import wait_for_result
from cadsight_perception.recording.live import BAG, REPORT, record_live
from tqdm import tqdm

from cadsight_cli.demo.progress import bar
from cadsight_cli.demo.steps.capture import CellClient, cell_client, cell_with_capture
from cadsight_cli.demo.steps.children import SILENCE_S, launched, wait_until
from cadsight_interfaces.action import CaptureSession

REPLAY_REPORT = "replay.json"
# More poses than any look lasts: the tour is broken off when the time is over.
_POSES = 100_000
_TOUR, _TRUTH = "tour", "truth"


def run_live(seconds: float, config: Path, seed: int, models: Path, out: Path, logs: Path, title: str) -> LiveReport:
    """Serve both models while the arm goes through poses of its own; writes the bag and live.json, which is returned.

    The tour is a capture session whose images nobody keeps: it plans, moves and settles as the others did.

    Args:
        models: the registry folder.
        out: folder for bag/, live.json and, read by the report alone, truth/.
    """
    perception = {"config": config, "models_folder": models}
    with (
        whole_folder(out / _TRUTH, earlier=truth_files) as truth,
        tempfile.TemporaryDirectory(prefix="cadsight_tour_") as sessions,
        cell_with_capture(config, seed, truth, Path(sessions), logs) as children,
        launched("perception", perception, logs / "perception.log") as looking,
        cell_client([*children, looking]) as client,
        bar(title, round(seconds, 1), "s") as progress,
    ):

        def note(status: str) -> None:
            client.check()
            progress.set_postfix_str(f"waiting for a first result of the perception node: {status}".rstrip(": "))

        started = threading.Event()
        wait_for_result(client.node, SILENCE_S, note)
        client.wait_for_cell(progress.set_postfix_str)
        tour = client.start(_TOUR, SessionPlan(_TOUR, "", _POSES, seed), lambda message: _note(message, started))
        first_pose = "the first pose of the tour"
        wait_until(started.is_set, lambda: first_pose, [*children, looking], progress.set_postfix_str)
        progress.set_postfix_str("")
        # Both are there, or the waits before had not ended.
        report = record_live(client.node, out, seconds, SILENCE_S, lambda passed: _tick(progress, passed, client))
        progress.update(progress.total - progress.n)
        tour.cancel(SILENCE_S)
    return report


def replay(config: Path, run: RunFolder, logs: Path, title: str) -> None:
    """Play the bag through the perception node; writes replay.json with the comparison to live.json."""
    reports = {"report": run.live / REPLAY_REPORT, "live_report": run.live / REPORT}
    arguments = {"config": config, "models_folder": run.detector.parent, "bag": run.live / BAG} | reports
    with bar(title, 1, "bag") as progress, launched("replay", arguments, logs / "replay.log") as child:
        child.wait()
        progress.update(1)
    if not (run.live / REPLAY_REPORT).is_file():
        raise CadsightError(f"the replay of {run.live / BAG} left no report, see {logs / 'replay.log'}")


def _note(message: CaptureSession.Feedback, started: threading.Event) -> None:
    if message.captured:
        started.set()


def _tick(progress: "tqdm[Any]", passed: float, client: CellClient) -> None:
    client.check()
    progress.update(min(round(passed, 1), progress.total) - progress.n)
