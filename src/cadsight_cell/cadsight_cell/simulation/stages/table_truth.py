"""What really lay on the table, and where the arm was: written by the cell, read by tests and benchmarks alone."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.parts.part import Part
from cadsight_core.storage.files import append_line, write_atomically
from cadsight_core.storage.json_text import json_text

from cadsight_cell.simulation.stages.dropping import Drop
from cadsight_cell.simulation.world import World

SCENE_FILE, DROPS_FILE, FRAMES_FILE = "table.json", "drops.jsonl", "frames.jsonl"


@dataclass(frozen=True, eq=False)
class TruePart:
    """A part as it really lies.

    Attributes:
        point: (3,) of the point of interest in base_link, metres.
        axis: (3,) unit vector of the axis of interest in base_link.
    """

    name: str
    kind: str
    base_from_part: Pose
    point: Array
    axis: Array


@dataclass(frozen=True, eq=False)
class TableFrame:
    """One frame as it really was: true joints (6,) in radians, and the parts that lay there."""

    drop: int
    joints: Array
    parts: tuple[TruePart, ...]


class TableTruthRecorder:
    """Writes the scene once, each drop, and the true joints of every frame that was sent."""

    def __init__(self, folder: str | Path, world: World, parts: Sequence[Part]) -> None:
        """``folder`` is made.

        Raises:
            CadsightError: when it holds the truth of another scene, or cannot be written.
        """
        self._folder = Path(folder)
        text = json_text({"world": world.to_json(), "parts": [asdict(part) for part in parts]}, indent=2) + "\n"
        path = self._folder / SCENE_FILE
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.read_text() != text:
                raise CadsightError(
                    f"{path} holds the truth of another scene, expected an empty folder or the same one"
                )
            write_atomically(path, text)
        except OSError as error:
            raise CadsightError(
                f"the folder {folder} for the truth cannot be written: {error.strerror or error}, expected one that can"
            ) from error

    def drop(self, drop: Drop) -> None:
        """Note what lies there from the next frame on."""
        append_line(self._folder / DROPS_FILE, json_text(drop.to_json()))

    def frame(self, stamp_ns: int, joints: Sequence[float] | Array, drop: int) -> None:
        """Note where the arm was and what lay there when the frame stamped ``stamp_ns`` was exposed."""
        line = {"stamp_ns": stamp_ns, "joints": [float(q) for q in joints], "drop": drop}
        append_line(self._folder / FRAMES_FILE, json_text(line))


class TableTruth:
    """Reads what a cell with a table wrote; what it writes later is seen too."""

    def __init__(self, folder: str | Path) -> None:
        """Raises CadsightError when ``folder`` holds no recorded table."""
        self._folder = Path(folder)
        try:
            scene = json.loads((self._folder / SCENE_FILE).read_text())
        except (OSError, json.JSONDecodeError) as error:
            raise CadsightError(f"{self._folder} holds no truth of a table: {error}") from error
        self.world = World.from_json(scene["world"])
        self._kinds = {part["class_id"]: part for part in scene["parts"]}

    def at(self, stamp_ns: int) -> TableFrame:
        """The frame with exactly that stamp.

        Raises:
            CadsightError: when no frame has it.
        """
        frames = {f["stamp_ns"]: f for f in self._lines(FRAMES_FILE)}
        if stamp_ns not in frames:
            raise CadsightError(f"{self._folder} knows no frame stamped {stamp_ns}, expected one of {len(frames)}")
        frame = frames[stamp_ns]
        drops = {d["drop"]: d for d in self._lines(DROPS_FILE)}
        parts = tuple(self._part(entry) for entry in drops[frame["drop"]]["parts"])
        return TableFrame(frame["drop"], np.array(frame["joints"], float), parts)

    def after(self, stamp_ns: int, timeout_s: float) -> Array:
        """The true joints (6,) of the first frame that is written from now on, which is later than ``stamp_ns``.

        Raises:
            CadsightError: when none is in time.
        """
        end, before = time.monotonic() + timeout_s, len(self._lines(FRAMES_FILE))
        while time.monotonic() < end:
            frames = self._lines(FRAMES_FILE)
            # The one in hand may have been exposed before.
            if len(frames) > before + 1 and frames[-1]["stamp_ns"] > stamp_ns:
                return np.array(frames[-1]["joints"], float)
            time.sleep(0.05)
        raise CadsightError(f"{self._folder} was not written for {timeout_s:g} s, expected the cell to run")

    def _part(self, entry: dict[str, Any]) -> TruePart:
        kind, pose = self._kinds[entry["class_id"]], Pose.from_json(entry["base_from_part"])
        point, axis = pose.apply(kind["point_of_interest"]), pose.rotate(kind["axis_of_interest"])
        return TruePart(entry["name"], kind["name"], pose, point, axis)

    def _lines(self, name: str) -> list[dict[str, Any]]:
        lines = (self._folder / name).read_text().splitlines()
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue  # the line in hand when the cell was killed, or is being written
        return found
