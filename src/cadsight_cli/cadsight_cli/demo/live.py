"""The live step: the perception node looks while the arm moves, a bag is kept of it and replayed through the node."""

import shutil
import threading
import time
from pathlib import Path
from typing import Any

from cadsight_capture.session import SessionPlan
from cadsight_core.errors import CadsightError
from cadsight_perception.live import BAG, REPORT, watch
from cadsight_perception.presence import wait_for_result
from cadsight_report.run_folder import RunFolder
from tqdm import tqdm

from cadsight_cli.demo.capture import START_TIMEOUT_S, CellClient, cell_client, cell_with_capture
from cadsight_cli.demo.children import launched
from cadsight_cli.demo.progress import bar
from cadsight_cli.demo.workcell_file import write_workcell
from cadsight_interfaces.action import CaptureSession

REPLAY_REPORT = "replay.json"
# More poses than any look lasts: the tour is broken off when the time is over.
_POSES = 100_000
_TOUR = "tour"


def look(seconds: float, config: Path, seed: int, models: Path, out: Path, logs: Path, title: str) -> dict[str, Any]:
    """Serve both models while the arm goes through poses of its own; writes the bag and live.json, which is returned.

    The tour is a capture session: it plans, moves and settles as the others did.

    Args:
        models: the registry folder.
        out: folder for bag/, live.json, tour/ and, read by the report alone, truth/.
    """
    for old in (_TOUR, "truth"):
        shutil.rmtree(out / old, ignore_errors=True)
    perception = {"config": config, "models_folder": models}
    with (
        cell_with_capture(config, seed, out / "truth", out, logs) as children,
        launched("perception", perception, logs / "perception.log") as looking,
        cell_client([*children, looking]) as client,
        bar(title, round(seconds, 1), "s") as shown,
    ):
        started = threading.Event()
        wait_for_result(client.node, START_TIMEOUT_S, lambda _: client.check())
        client.wait_for_cell()
        tour = client.start(_TOUR, SessionPlan(_TOUR, "", _POSES, seed), lambda message: _note(message, started))
        _wait(client, started, "the first pose of the tour")
        report = watch(client.node, out, seconds, START_TIMEOUT_S, lambda passed: _tick(shown, passed, client))
        shown.update(shown.total - shown.n)
        tour.cancel()
    return report


def replay(config: Path, run: RunFolder, logs: Path, title: str) -> None:
    """Play the bag through the perception node; writes replay.json with the comparison to live.json."""
    own = {"report": str(run.live / REPLAY_REPORT), "live_report": str(run.live / REPORT)}
    config = write_workcell(config, {"cadsight/replay": own}, run.folder / "config" / "replay.yaml")
    arguments = {"config": config, "models_folder": run.detector.parent, "bag": run.live / BAG}
    with bar(title, 1, "bag") as shown, launched("replay", arguments, logs / "replay.log") as child:
        child.wait()
        shown.update(1)
    if not (run.live / REPLAY_REPORT).is_file():
        raise CadsightError(f"the replay of {run.live / BAG} left no report, see {logs / 'replay.log'}")


def _note(message: CaptureSession.Feedback, started: threading.Event) -> None:
    if message.captured:
        started.set()


def _tick(shown: "tqdm[Any]", passed: float, client: CellClient) -> None:
    client.check()
    shown.update(min(round(passed, 1), shown.total) - shown.n)


def _wait(client: CellClient, event: threading.Event, what: str) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while not event.wait(0.1):
        client.check()
        if time.monotonic() > end:
            raise CadsightError(f"{what} did not come for {START_TIMEOUT_S:.0f} s, expected the cell to run")
