"""`cadsight loop`: the nodes, the images that are shown to them, and the cycles that follow."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from cadsight_active.loop.history import Entry, History
from cadsight_active.loop.shown import Shown, read_shown
from cadsight_core.storage.files import make_folder, write_atomically
from cadsight_core.storage.output_file import refuse_foreign_file
from cadsight_ros.domains import claimed_domain
from cadsight_ros.node.programs import temporary_node

from cadsight_cli.demo.steps.children import Child, launched
from cadsight_cli.loop.feed import Feed, endless
from cadsight_cli.loop.settings import LoopSettings
from cadsight_cli.loop.table import DETECTOR, REGRESSOR, Table

LOOP, SHOWN, NODES = "loop", "shown.jsonl", "nodes.yaml"
_NODES_HEAD = "# The parameters of the nodes, written by `cadsight loop`.\n"
BEFORE, AFTER = "before", "after"
_LOOK_S = 0.2


def refuse_foreign_loop(out: Path) -> None:
    """Refuse a folder with files that a run of the loop would overwrite, or add to, but none wrote.

    Raises:
        CadsightError: naming the file.
    """
    refuse_foreign_file(out / NODES, lambda data: data.startswith(_NODES_HEAD.encode()))
    read_shown(out / SHOWN)
    History(out / LOOP)


def run_loop(table: Table, out: Path, settings: LoopSettings, show: Callable[[str], None]) -> tuple[Entry, ...]:
    """Show the table until its cycles are done; a second call goes on where a first was stopped. Returns the history.

    Args:
        show: is called with what is going on.

    Raises:
        CadsightError: when a node ends, or no alarm comes however many images are shown.
    """
    with _nodes(table, out, settings) as feed:
        part = _Part(feed, show)
        part.until(BEFORE, table.before, settings.shown, settings.cycles // 2)
        part.until(BEFORE, table.before, part.since_cycle(BEFORE) + settings.quiet)
        part.until(AFTER, table.after, 2 * settings.shown, settings.cycles)
        # What came of the last cycle.
        part.until(AFTER, table.after, part.since_cycle(AFTER) + settings.k)
    return History(out / LOOP).entries


class _Part:
    """Shows the images of one lamp, and waits while a cycle is in hand: what is chosen does not depend on how fast the
    machine is."""

    def __init__(self, feed: Feed, show: Callable[[str], None]) -> None:
        self._feed, self._show = feed, show
        # How many cycles are done, as the loop says where none is in hand.
        self.cycles = 0
        self._wait()

    def count(self, phase: str) -> int:
        """How many images of a phase were shown."""
        return sum(one.phase == phase for one in self._feed.shown)

    def since_cycle(self, phase: str) -> int:
        """How many images of a phase were shown until the last of its cycles began."""
        shown = [one for one in self._feed.shown if one.phase == phase]
        return max((place for place, one in enumerate(shown, start=1) if one.alarms), default=len(shown))

    def until(self, phase: str, folder: Path, most: int, cycles: int | None = None) -> None:
        """Show images of a phase until ``most`` were shown, in all, or so many ``cycles`` are done."""
        images = endless(folder)
        for _ in range(self.count(phase)):
            next(images)
        while self.count(phase) < most and (cycles is None or self.cycles < cycles):
            self._one(phase, images)

    def _one(self, phase: str, images: Iterator[Any]) -> None:
        """Show an image, and as many more as a cycle that it begins waits for."""
        needs_images = True
        while needs_images:
            sample, image, classes = next(images)
            self._show(_words(self._feed.show(sample, image, phase, classes)))
            needs_images = self._wait()

    def _wait(self) -> bool:
        """Wait until no cycle is in hand; True where one is and needs images."""
        # A node that is not configured yet says nothing of cycles.
        while (state := self._feed.state()).get("resting") != "True":
            if state.get("waits") == "images":
                return True
            self._show(f"cycle {state.get('cycle', 0)}: {state['doing'] or 'goes on'}")
            time.sleep(_LOOK_S)
        self.cycles = int(state["cycle"])
        return False


def _words(shown: Shown) -> str:
    return f"image {shown.number}, lamp {shown.phase} the change, {shown.detector} serves"


@contextmanager
def _nodes(table: Table, out: Path, settings: LoopSettings) -> Iterator[Feed]:
    """The perception node and the loop's, and what shows them images."""
    config, logs = out / NODES, out / "logs"
    make_folder(logs)
    write_atomically(config, _NODES_HEAD + yaml.safe_dump(_parameters(table, out, settings), sort_keys=False))
    own = {"config": config, "models_folder": table.models}
    with claimed_domain() as domain, ExitStack() as stack:
        os.environ["ROS_DOMAIN_ID"] = str(domain)
        served = {"detector": DETECTOR, "regressor": REGRESSOR, "served_file": out / LOOP / "served.jsonl"}
        children: list[Child] = [
            stack.enter_context(launched("perception", {**own, **served}, logs / "perception.log")),
            stack.enter_context(launched("loop", {**own, "loop_folder": out / LOOP}, logs / "loop.log")),
        ]
        node = stack.enter_context(temporary_node("table"))

        def check() -> None:
            for child in children:
                child.check()

        yield Feed(node, out / SHOWN, check)


def _parameters(table: Table, out: Path, settings: LoopSettings) -> dict[str, Any]:
    loop = {
        **settings.node_parameters(),
        "truth": [str(table.before.resolve()), str(table.after.resolve())],
        "earlier": [str(table.drawn.resolve())],
    }
    return {
        "cadsight": {
            "perception": {"ros__parameters": {"warm_up_width": 320, "warm_up_height": 240}},
            "loop": {"ros__parameters": loop},
        }
    }
