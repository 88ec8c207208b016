"""A part out of a CAD file: its YAML, its mesh in metres, and a picture of it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.files import write_atomically
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.images import Rgb, write_image
from cadsight_core.mesh import Mesh, Unit, load_mesh
from cadsight_core.output_file import write_same
from cadsight_core.part import Part, Symmetry, load_part, load_parts
from cadsight_core.point_of_interest import propose_point
from cadsight_core.symmetry import equal_normal
from cadsight_core.symmetry_search import TOLERANCE, FoundSymmetry, find_symmetries

from cadsight_synthesis.cache import ply_bytes
from cadsight_synthesis.looks import own_material
from cadsight_synthesis.raster import RasterEngine
from cadsight_synthesis.sampling.placing import Shape, distance_that_fills, looking_at, on_sphere
from cadsight_synthesis.scene import Body, Environment, Lamp, Scene, View

_VIEW = ImageSize(480, 360)
_SEEN_FROM = ((35.0, 30.0), (125.0, 30.0), (215.0, 30.0), (-55.0, -35.0))
# Directions nearer than this to one of a cube's are taken for it: files round their corners.
_SNAP_DEG = 0.1
_WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class AddedPart:
    """What was written.

    Attributes:
        part: as it is read from now on.
        mesh: with what was odd in the file.
        symmetries: rotations found that map the mesh on itself, also those that the YAML cannot say.
        path, mesh_path, picture_path: the files; no picture where none could be drawn.
        no_picture: why there is none.
        tolerance_m: within which a turned surface is itself, and an axis goes through the origin.
    """

    part: Part
    mesh: Mesh
    symmetries: tuple[FoundSymmetry, ...]
    path: Path
    mesh_path: Path
    picture_path: Path | None
    no_picture: str = ""
    tolerance_m: float = 0.0


def add_part(
    file: str | Path, name: str, folder: str | Path, unit_of_file: Unit = "mm", *, tolerance_m: float | None = None
) -> AddedPart:
    """Read a CAD file and write ``folder/name.yaml``, ``folder/name/name.ply`` and ``folder/name/name.jpg``.

    The part keeps the frame of its file. Its class is the next free one of the folder, its point of interest the
    middle of its largest flat face, until the user says otherwise.

    Args:
        tolerance_m: how far a turned surface may be from itself to count as symmetric; 0.4 % of the diameter.

    Raises:
        CadsightError: for a file that is no part (see :func:`cadsight_core.mesh.load_mesh`), a name that is no word,
            or a part or other files of that name that are there.
    """
    folder = Path(folder)
    path = folder / f"{name}.yaml"
    if not name or name != Path(name).name or any(c.isspace() for c in name) or name.startswith("."):
        raise CadsightError(f"the part's name is {name!r}, expected one word")
    if os.path.lexists(path):
        raise CadsightError(f"the part {path} is there already, expected another name or folder")
    mesh = load_mesh(file, unit_of_file)
    others = load_parts(folder) if any(folder.glob("*.yaml")) else ()
    class_id = max((p.class_id for p in others), default=-1) + 1
    tolerance = TOLERANCE * mesh.diameter if tolerance_m is None else tolerance_m
    if not tolerance > 0:
        raise CadsightError(f"the tolerance of symmetries is {1000 * tolerance:g} mm, expected more than 0")
    found = find_symmetries(mesh, tolerance / mesh.diameter)
    proposed = propose_point(mesh)
    mesh_path = folder / name / f"{name}.ply"
    drawing = folder / name / f"{name}.jpg"
    # Beside the same mesh it is the picture of it, of an earlier call.
    if os.path.lexists(drawing) and not os.path.lexists(mesh_path):
        raise CadsightError(f"{drawing} is there and no mesh beside it, expected another name or folder")
    try:
        mesh_path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CadsightError(f"the folder {mesh_path.parent} could not be made: {error.strerror}") from error
    write_same(mesh_path, ply_bytes(mesh))
    source = f"Added from {Path(file).name}."
    write_atomically(path, _yaml(name, class_id, proposed.point, proposed.normal, sayable(found, tolerance), source))
    part = load_part(path)
    picture_path: Path | None = drawing
    reason = ""
    try:
        write_image(drawing, picture_of(part, mesh))
    except CadsightError as error:
        picture_path, reason = None, str(error)
    return AddedPart(part, mesh, found, path, mesh_path, picture_path, reason, tolerance)


def sayable(found: Sequence[FoundSymmetry], tolerance_m: float) -> tuple[Symmetry, ...]:
    """The symmetries that a part's YAML can say, whose axes go through the part's origin."""
    through = [f for f in found if f.offset <= tolerance_m]
    said = tuple(Symmetry(_snapped(f.axis), f.order) for f in through)
    # Axes a hair apart from what they should be generate turns without end.
    kept: list[Symmetry] = []
    for one in said:
        try:
            equal_normal((0.3, 0.5, 0.8), (0.0, 0.0, 1.0), Pose.identity(), [*kept, one])
        except CadsightError:
            continue
        kept.append(one)
    return tuple(kept)


def picture_of(part: Part, mesh: Mesh) -> Rgb:
    """The part from four sides on white, (720, 960, 3).

    Raises:
        CadsightError: when nothing can be drawn on this machine.
    """
    shape = Shape.of(mesh)
    focal = _VIEW.width / 2 / np.tan(np.deg2rad(40) / 2)
    camera = Camera(_VIEW, focal, focal, (_VIEW.width - 1) / 2, (_VIEW.height - 1) / 2)
    away = distance_that_fills(camera, shape.radius, 0.85)
    views = tuple(
        View(camera, looking_at(away * on_sphere(*side), (0.0, 0.0, 0.0)), None, _WHITE) for side in _SEEN_FROM
    )
    body = Body(part.name, shape.ply, shape.at(np.eye(3), np.zeros(3)), own_material(part, shape), part.class_id)
    lamps = (Lamp("sun", (0.4, 0.6, 1.2), 1.3), Lamp("sun", (-0.8, -0.4, 0.4), 0.6))
    engine = RasterEngine()
    try:
        pictures = [r.image for r in engine.render(Scene((body,), views, lamps, Environment(0.45)))]
    finally:
        engine.close()
    return np.vstack([np.hstack(pictures[:2]), np.hstack(pictures[2:])])


def _snapped(axis: Array) -> tuple[float, float, float]:
    steps = np.array(np.meshgrid(*[(-1, 0, 1)] * 3)).reshape(3, -1).T
    nice = unit(steps[np.any(steps, axis=1)])
    nearest = nice[np.argmax(nice @ axis)]
    chosen = nearest if float(nearest @ axis) > np.cos(np.deg2rad(_SNAP_DEG)) else axis
    # Of the two directions of an axis, the one along the positive axes.
    chosen = chosen * (1 if chosen[np.argmax(np.abs(chosen))] > 0 else -1)
    x, y, z = (float(v) + 0.0 for v in np.round(chosen, 9))
    return (x, y, z)


def _yaml(name: str, class_id: int, point: Array, axis: Array, symmetry: Sequence[Symmetry], source: str) -> str:
    def numbers(values: Sequence[float] | Array, digits: int) -> str:
        return "[" + ", ".join(f"{float(v) + 0.0:.{digits}g}" for v in np.round(values, 9)) + "]"

    lines = [
        f"# {source} docs/your-part.md says what each key means.",
        f"name: {name}",
        f"class_id: {class_id}",
        f"mesh: {name}/{name}.ply",
        "unit: m",
        "# Ranges of hue, saturation and value in pictures, for labels by colour; docs/your-part.md finds them.",
        "colour: []",
    ]
    if symmetry:
        lines.append("symmetry:")
        lines += [f"  - {{axis: {numbers(s.axis, 9)}, order: {s.order}}}" for s in symmetry]
    lines += [
        "# The middle of the largest flat face, metres: change both to the point whose normal you want.",
        f"point_of_interest: {numbers(np.round(point, 6), 6)}",
        f"axis_of_interest: {numbers(np.round(axis, 6), 6)}",
        "# Red, green, blue in synthetic pictures, 0 to 1, linear.",
        "display_colour: [0.5, 0.5, 0.5]",
    ]
    return "\n".join(lines) + "\n"
