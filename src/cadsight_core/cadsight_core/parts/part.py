"""The part: what a user states about the object to be found. One YAML file a part."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cadsight_core.config.parameters import check, from_mapping, parameter
from cadsight_core.config.yaml_file import parse_yaml, yaml_bytes
from cadsight_core.errors import CadsightError
from cadsight_core.parts.mesh import LARGEST_DIAMETER_M, Mesh, Unit, load_mesh
from cadsight_core.storage.files import resolved

Hsv = tuple[int, int, int]
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class ColourRange:
    """Inclusive range of HSV as OpenCV counts it: hue 0 to 179, saturation and value 0 to 255.

    A low hue above the high one goes around through red.
    """

    low: Hsv = parameter((0, 0, 0), "lowest hue, saturation and value")
    high: Hsv = parameter((179, 255, 255), "highest hue, saturation and value")

    def __post_init__(self) -> None:
        check(self)
        for name, value in (("low", self.low), ("high", self.high)):
            if not all(0 <= v <= limit for v, limit in zip(value, (179, 255, 255), strict=True)):
                raise CadsightError(f"the colour's {name} is {list(value)}, expected hue 0..179 and the others 0..255")
        if self.low[1] > self.high[1] or self.low[2] > self.high[2]:
            raise CadsightError(
                f"the colour goes from {list(self.low)} to {list(self.high)}, expected saturation and value to rise"
            )


@dataclass(frozen=True)
class Symmetry:
    """The part looks the same when turned by 1/order of a turn about ``axis``; order 0 means by any angle."""

    axis: Vector = parameter((0.0, 0.0, 1.0), "axis through the part's origin")
    order: int = parameter(2, "number of equal positions in a turn, 0 for a body of revolution", minimum=0)

    def __post_init__(self) -> None:
        check(self)
        if not np.isfinite(self.axis).all() or np.linalg.norm(self.axis) < 1e-9:
            raise CadsightError(f"a symmetry has the axis {self.axis}, expected a direction")
        if self.order == 1:
            raise CadsightError("a symmetry has the order 1, which is none: expected 0, 2 or more")


@dataclass(frozen=True)
class Part:
    """A part and what is to be measured on it; positions in metres in the frame of its mesh."""

    name: str = parameter("", "name of the class, one word")
    class_id: int = parameter(0, "index of the class", minimum=0)
    mesh: str = parameter("", "CAD file, relative to the part's YAML")
    unit: Unit = parameter("mm", "unit of an STL, PLY or OBJ")
    colour: tuple[ColourRange, ...] = parameter((), "HSV ranges of the part in images")
    symmetry: tuple[Symmetry, ...] = parameter((), "rotations that leave the part's look unchanged")
    point_of_interest: Vector = parameter((0.0, 0.0, 0.0), "point whose normal is wanted, metres")
    axis_of_interest: Vector = parameter((0.0, 0.0, 1.0), "the outward normal there")
    display_colour: Vector = parameter(
        (0.8, 0.3, 0.05), "red, green, blue of the simulated part, 0 to 1, linear", minimum=0.0, maximum=1.0
    )

    def __post_init__(self) -> None:
        check(self)
        if not self.name or any(c.isspace() for c in self.name):
            raise CadsightError(f"the part's name is {self.name!r}, expected one word")
        length = float(np.linalg.norm(self.axis_of_interest))
        if not np.isfinite(length) or length < 1e-9:
            raise CadsightError(f"the axis_of_interest of {self.name} is {self.axis_of_interest}, expected a direction")
        object.__setattr__(self, "axis_of_interest", tuple(float(v) / length for v in self.axis_of_interest))


def load_part(path: str | Path) -> Part:
    """Read a part's YAML; the mesh path comes back absolute.

    Raises:
        CadsightError: for a missing file, YAML that does not parse, an unknown key or a value out of range.
            The mesh itself is read by :func:`load_part_mesh`.
    """
    return parse_part(yaml_bytes(path, "the part "), path)


def parse_part(text: str | bytes, path: str | Path) -> Part:
    """The part that a text describes which stands, or is to stand, in the file ``path``.

    Raises:
        CadsightError: as :func:`load_part`.
    """
    path = Path(path)
    found = parse_yaml(text, f"the part {path}")
    if not isinstance(found, Mapping):
        raise CadsightError(f"the part {path} holds {found!r}, expected keys such as name, class_id and mesh")
    data: dict[str, Any] = dict(found)
    for key, cls in (("colour", ColourRange), ("symmetry", Symmetry)):
        entries = data.get(key, [])
        if not isinstance(entries, list):
            raise CadsightError(f"{path}: {key} is {entries!r}, expected a list")
        data[key] = tuple(from_mapping(cls, e, f"{path}: {key}[{i}]") for i, e in enumerate(entries))
    if not isinstance(data.get("mesh"), str):
        raise CadsightError(f"{path} lacks the key 'mesh', expected the CAD file's path relative to it")
    try:
        data["mesh"] = str(resolved(path.parent, data["mesh"]))
    except CadsightError as error:
        raise CadsightError(f"{path}: {error}") from error
    return from_mapping(Part, data, str(path))


def load_parts(folder: str | Path) -> tuple[Part, ...]:
    """All parts of a folder, in the order of their class ids.

    Raises:
        CadsightError: when there are none, or two share a name or a class id.
    """
    parts = sorted((load_part(p) for p in sorted(Path(folder).glob("*.yaml"))), key=lambda p: p.class_id)
    if not parts:
        raise CadsightError(f"the folder {folder} holds no part, expected one YAML file a part")
    for key in ("name", "class_id"):
        values = [getattr(p, key) for p in parts]
        twice = next((v for v in values if values.count(v) > 1), None)
        if twice is not None:
            raise CadsightError(f"two parts in {folder} have the {key} {twice!r}, expected each to have its own")
    return tuple(parts)


def load_part_mesh(part: Part) -> Mesh:
    """The part's mesh in metres.

    Raises:
        CadsightError: as :func:`cadsight_core.parts.mesh.load_mesh`, and for a point of interest that is farther from
            the mesh than any part is large.
    """
    mesh = load_mesh(part.mesh, part.unit)
    point = np.asarray(part.point_of_interest)
    nearest = np.clip(point, mesh.vertices.min(axis=0), mesh.vertices.max(axis=0))
    away = float(np.linalg.norm(point - nearest))
    if away > LARGEST_DIAMETER_M:
        raise CadsightError(
            f"the point_of_interest of {part.name} is {list(part.point_of_interest)}, {away:.3g} m away from its mesh, "
            "expected a point on it: metres in the frame of the CAD file"
        )
    return mesh
