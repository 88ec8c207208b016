"""What was really so while the simulated cell ran. For reports, benchmarks and tests; never for labels."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.box import Box
from cadsight_core.config.parameters import from_mapping
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.opengl import needing_opengl
from cadsight_core.parts.part import ColourRange, Part, Symmetry, load_part_mesh
from cadsight_core.storage.files import append_line, write_atomically
from cadsight_core.storage.json_text import json_text
from cadsight_core.storage.output_file import json_with
from numpy.typing import NDArray

from cadsight_cell.simulation.renderer import CellRenderer
from cadsight_cell.simulation.world import World

SCENE_FILE = "scene.json"
FRAMES_FILE = "frames.jsonl"


@dataclass(frozen=True, eq=False)
class TrueFrame:
    """One frame as it really was.

    Attributes:
        joints: true angles (6,) in radians.
        mask: (H, W) of the part's visible pixels.
        box: around the mask; None where the part is not in view.
        camera_from_part: true pose in the optical frame.
        normal: (3,) of the axis of interest in the optical frame.
    """

    joints: Array
    mask: NDArray[np.bool_]
    box: Box | None
    camera_from_part: Pose
    normal: Array


class TruthRecorder:
    """Writes the scene once and the true joints of every frame that was sent."""

    def __init__(self, folder: str | Path, world: World, part: Part, mount: Pose) -> None:
        """``folder`` is made; frames are added to those of an earlier run of the same scene.

        Raises:
            CadsightError: when the folder holds the truth of another scene, or cannot be written.
        """
        self._folder = Path(folder)
        try:
            self._begin(world, part, mount)
        except OSError as error:
            raise CadsightError(
                f"the folder {folder} for the truth cannot be written: {error.strerror or error}, expected one that can"
            ) from error

    def _begin(self, world: World, part: Part, mount: Pose) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        mesh = self._folder / f"part{Path(part.mesh).suffix.lower()}"
        scene = {
            "world": world.to_json(),
            "part": asdict(replace(part, mesh=mesh.name)),
            "mount": mount.to_json(),
        }
        text = json_text(scene, indent=2) + "\n"
        path = self._folder / SCENE_FILE
        if path.exists() and path.read_text() != text:
            raise CadsightError(f"{path} holds the truth of another scene, expected an empty folder or the same one")
        shape = Path(part.mesh).read_bytes()
        if mesh.exists() and mesh.read_bytes() != shape:
            raise CadsightError(f"{mesh} is not {part.mesh} as it is now, expected an empty folder or the same part")
        frames = self._folder / FRAMES_FILE
        if frames.exists() and not path.exists():
            raise CadsightError(f"{frames} has no {SCENE_FILE} beside it, expected an empty folder or the same scene")
        write_atomically(mesh, shape)
        write_atomically(path, text)
        if frames.exists() and not frames.read_bytes().endswith(b"\n"):
            append_line(frames, "")  # ends the line in hand when the cell was killed

    def frame(self, stamp_ns: int, joints: Sequence[float] | Array) -> None:
        """Note where the arm was when the frame stamped ``stamp_ns`` was exposed."""
        line = json_text({"stamp_ns": stamp_ns, "joints": [float(q) for q in joints]})
        append_line(self._folder / FRAMES_FILE, line)


def truth_files(folder: Path) -> list[str] | None:
    """The files of a recorded truth by their paths in ``folder``, None where there is none."""
    try:
        data = (folder / SCENE_FILE).read_bytes()
    except OSError:
        return None
    if not json_with("world", "part", "mount")(data):
        return None
    part = json.loads(data)["part"]
    mesh = part.get("mesh") if isinstance(part, dict) else None
    return [SCENE_FILE, FRAMES_FILE, *([mesh] if isinstance(mesh, str) else [])]


class Truth:
    """Draws again, from a recorded scene, what each frame really showed. For one thread."""

    def __init__(self, folder: str | Path) -> None:
        """Raises CadsightError when ``folder`` holds no recorded scene."""
        self._folder = Path(folder)
        try:
            scene = json.loads((self._folder / SCENE_FILE).read_text())
            lines = (self._folder / FRAMES_FILE).read_text().splitlines()
        except (OSError, json.JSONDecodeError) as error:
            raise CadsightError(f"{self._folder} holds no truth of a simulated cell: {error}") from error
        self.world = World.from_json(scene["world"])
        self.part = _part(scene["part"], self._folder)
        self.mount = Pose.from_json(scene["mount"])
        self._joints: dict[int, Array] = {}
        for line in lines:
            try:
                frame = json.loads(line)
            except json.JSONDecodeError:
                continue  # the line in hand when the cell was killed
            self._joints[int(frame["stamp_ns"])] = np.array(frame["joints"], float)
        self.at = lru_cache(maxsize=64)(self._at)

    @property
    def stamps(self) -> tuple[int, ...]:
        """Stamps of all frames in nanoseconds, in the order of time."""
        return tuple(sorted(self._joints))

    def pose(self, stamp_ns: int) -> Pose:
        """camera_from_part of a frame, without drawing it."""
        return self._renderer.camera_from_part(self._true_joints(stamp_ns))

    def _at(self, stamp_ns: int) -> TrueFrame:
        """The frame with exactly that stamp.

        Raises:
            CadsightError: when no frame has it.
        """
        joints = self._true_joints(stamp_ns)
        mask = self._renderer.mask(joints)
        pose = self._renderer.camera_from_part(joints)
        return TrueFrame(joints, mask, Box.from_mask(mask), pose, pose.rotate(self.part.axis_of_interest))

    def _true_joints(self, stamp_ns: int) -> Array:
        if stamp_ns not in self._joints:
            raise CadsightError(
                f"{self._folder} knows no frame stamped {stamp_ns}, expected one of {len(self._joints)}"
            )
        return self._joints[stamp_ns]

    @property
    def _renderer(self) -> CellRenderer:
        if not hasattr(self, "_made_renderer"):
            mesh = load_part_mesh(self.part)
            with needing_opengl():
                self._made_renderer = CellRenderer(self.world, self.part, mesh, self.mount)
        return self._made_renderer


def _part(data: dict[str, Any], folder: Path) -> Part:
    where = str(folder / SCENE_FILE)
    colour = tuple(from_mapping(ColourRange, c, where) for c in data["colour"])
    symmetry = tuple(from_mapping(Symmetry, s, where) for s in data["symmetry"])
    return from_mapping(
        Part, data | {"mesh": str(folder / data["mesh"]), "colour": colour, "symmetry": symmetry}, where
    )
