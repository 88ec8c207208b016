"""A part out of a CAD file: its YAML, its mesh in metres, and an image of it."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.config.yaml_file import dump_yaml
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose, unit
from cadsight_core.imaging.images import write_image
from cadsight_core.parts.mesh import Mesh, Unit, load_mesh
from cadsight_core.parts.part import Part, Symmetry, load_part, parse_part
from cadsight_core.parts.point_of_interest import ProposedPoint, propose_point
from cadsight_core.parts.symmetry import equal_normal
from cadsight_core.parts.symmetry_search import TOLERANCE, FoundSymmetry, find_symmetries
from cadsight_core.storage.files import make_folder, write_atomically
from cadsight_core.storage.output_file import write_same

from cadsight_synthesis.assets.cache import ply_bytes
from cadsight_synthesis.parts.drawing import image_of

# Directions nearer than this to one of a cube's are taken for it: files round their corners.
_SNAP_DEG = 0.1


@dataclass(frozen=True, eq=False)
class AddedPart:
    """What was written.

    Attributes:
        part: as it is read from now on.
        mesh: with what was odd in the file.
        symmetries: rotations found that map the mesh on itself, also those that the YAML cannot express.
        point_is: which point the point of interest is, such as the middle of the largest flat face.
        path, mesh_path, image_path: the files; no image where none could be drawn.
        no_image: why there is none.
        tolerance_m: within which a turned surface is itself, and an axis goes through the origin.
    """

    part: Part
    mesh: Mesh
    symmetries: tuple[FoundSymmetry, ...]
    point_is: str
    path: Path
    mesh_path: Path
    image_path: Path | None
    no_image: str = ""
    tolerance_m: float = 0.0


def add_part(
    file: str | Path,
    name: str,
    folder: str | Path,
    unit_of_file: Unit = "mm",
    *,
    tolerance_m: float | None = None,
    force: bool = False,
) -> AddedPart:
    """Read a CAD file and write ``folder/name.yaml``, ``folder/name/name.ply`` and ``folder/name/name.jpg``.

    The part keeps the frame of its file. Its class is the next free one of the folder, its point of interest the
    middle of its largest flat face, until the user says otherwise. The YAML is written last, and read before it is.

    Args:
        tolerance_m: how far a turned surface may be from itself to count as symmetric; 0.4 % of the diameter.
        force: replace a part of that name; it keeps its class, and nothing else.

    Raises:
        CadsightError: for a file that is no part (see :func:`cadsight_core.parts.mesh.load_mesh`), a name that is no
            word, or a part or other files of that name that are there.
    """
    folder = Path(folder)
    path = folder / f"{name}.yaml"
    if not name or name != Path(name).name or not name.isprintable() or " " in name or name.startswith("."):
        raise CadsightError(f"the part's name is {name!r}, expected one word")
    if os.path.lexists(path) and not force:
        raise CadsightError(f"the part {path} is there already, expected another name or folder, or --force")
    mesh = load_mesh(file, unit_of_file)
    class_id = _class_of(folder, path)
    tolerance = TOLERANCE * mesh.diameter if tolerance_m is None else tolerance_m
    if not tolerance > 0:
        raise CadsightError(f"the tolerance of symmetries is {1000 * tolerance:g} mm, expected more than 0")
    found = find_symmetries(mesh, tolerance / mesh.diameter)
    proposed = propose_point(mesh)
    mesh_path = folder / name / f"{name}.ply"
    drawing = folder / name / f"{name}.jpg"
    # Beside the same mesh it is the image of it, of an earlier call.
    if os.path.lexists(drawing) and not os.path.lexists(mesh_path) and not force:
        raise CadsightError(f"{drawing} is there and no mesh beside it, expected another name or folder, or --force")
    text = _yaml(name, class_id, proposed, expressible(found, tolerance), f"Added from {Path(file).name!r}.")
    part = parse_part(text, path)
    make_folder(mesh_path.parent)
    write_mesh = write_atomically if force else write_same
    write_mesh(mesh_path, ply_bytes(mesh))
    write_atomically(path, text)
    image_path: Path | None = drawing
    reason = ""
    try:
        write_image(drawing, image_of(part, mesh))
    except CadsightError as error:
        image_path, reason = None, str(error)
    return AddedPart(part, mesh, found, proposed.what, path, mesh_path, image_path, reason, tolerance)


def _class_of(folder: Path, path: Path) -> int:
    """The class that a part at ``path`` has: its own where it is there, or the next of the folder."""
    others = [load_part(p) for p in sorted(folder.glob("*.yaml")) if p.name != path.name]
    taken = {p.class_id: p for p in others}
    if path.exists():
        with contextlib.suppress(CadsightError):  # what cannot be read is replaced all the same
            own = load_part(path).class_id
            if own not in taken:
                return own
    return max(taken, default=-1) + 1


def expressible(found: Sequence[FoundSymmetry], tolerance_m: float) -> tuple[Symmetry, ...]:
    """The symmetries that a part's YAML can express, whose axes go through the part's origin."""
    through = [f for f in found if f.offset <= tolerance_m]
    candidates = tuple(Symmetry(_snapped(f.axis), f.order) for f in through)
    # Axes a hair apart from what they should be generate turns without end.
    kept: list[Symmetry] = []
    for one in candidates:
        try:
            equal_normal((0.3, 0.5, 0.8), (0.0, 0.0, 1.0), Pose.identity(), [*kept, one])
        except CadsightError:
            continue
        kept.append(one)
    return tuple(kept)


def _snapped(axis: Array) -> tuple[float, float, float]:
    steps = np.array(np.meshgrid(*[(-1, 0, 1)] * 3)).reshape(3, -1).T
    nice = unit(steps[np.any(steps, axis=1)])
    nearest = nice[np.argmax(nice @ axis)]
    chosen = nearest if float(nearest @ axis) > np.cos(np.deg2rad(_SNAP_DEG)) else axis
    # Of the two directions of an axis, the one along the positive axes.
    chosen = chosen * (1 if chosen[np.argmax(np.abs(chosen))] > 0 else -1)
    x, y, z = (float(v) + 0.0 for v in np.round(chosen, 9))
    return (x, y, z)


def _yaml(name: str, class_id: int, proposed: ProposedPoint, symmetry: Sequence[Symmetry], source: str) -> str:
    point, axis = _numbers(proposed.point, 6), _numbers(proposed.normal, 6)
    turns = [{"axis": _numbers(s.axis, 9), "order": s.order} for s in symmetry]
    return "".join(
        [
            f"# {source} docs/your-part.md says what each key means.\n",
            dump_yaml({"name": name, "class_id": class_id, "mesh": f"{name}/{name}.ply", "unit": "m"}),
            "# Ranges of hue, saturation and value, for labels by colour: cadsight part colour finds them.\n",
            dump_yaml({"colour": []}),
            dump_yaml({"symmetry": turns}) if turns else "",
            f"# {proposed.what.capitalize()}, metres: change both to the point whose normal you want.\n",
            dump_yaml({"point_of_interest": point, "axis_of_interest": axis}),
            "# Red, green, blue in synthetic images and in the simulated cell, 0 to 1, linear.\n",
            dump_yaml({"display_colour": list(Part(name="any").display_colour)}),
        ]
    )


def _numbers(values: Sequence[float] | Array, digits: int) -> list[float]:
    """Rounded; whole ones without a point."""
    rounded = [round(float(v), digits) + 0.0 for v in values]
    return [int(v) if v == int(v) else v for v in rounded]
