"""What is missing or wrong in what a part's YAML says, reported before anything is captured."""

from dataclasses import dataclass

import cv2
import numpy as np
from cadsight_core.geometry import Array, angle_between
from cadsight_core.meshes.joints import normals_of
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import ColourRange, Part, Symmetry
from cadsight_core.parts.symmetry_search import TOLERANCE, find_symmetries, nearest_triangles, turned_error

from cadsight_synthesis.parts.adding import expressible
from cadsight_synthesis.rendering.colour import to_display

# How far the point may be off the surface, as a fraction of the diameter, and the axis off the normal there.
_OFF_SURFACE, _OFF_NORMAL_DEG = 0.01, 30.0
# A colour of less saturation, of 255, is taken for grey by the filter; ranges of more hues hold several colours.
_GREY, _WIDE = 40, 60
_SAME_AXIS_DEG = 3.0


@dataclass(frozen=True)
class Finding:
    """One thing about a part.

    Attributes:
        sentence: what it is, what came and what is expected.
        wrong: whether labels or figures will be wrong; else it is to be known.
    """

    sentence: str
    wrong: bool


def check_part(part: Part, mesh: Mesh) -> tuple[Finding, ...]:
    """What is missing or odd in a part's YAML, beside its mesh, the wrong things first."""
    found = [*_of_point(part, mesh), *_of_colour(part, mesh), *_of_symmetry(part, mesh)]
    return tuple(sorted(found, key=lambda f: not f.wrong))


def _of_point(part: Part, mesh: Mesh) -> list[Finding]:
    point, axis = np.array(part.point_of_interest), np.array(part.axis_of_interest)
    near, away = nearest_triangles(mesh, point, 1e-6 * mesh.diameter)
    if away > _OFF_SURFACE * mesh.diameter:
        return [
            Finding(
                f"the point_of_interest {_list(point)} lies {1000 * away:.1f} mm off the surface, expected a point on "
                "it: metres in the frame of the CAD file",
                True,
            )
        ]
    normals = normals_of(mesh.vertices[mesh.faces[near]])
    # At an edge any of the faces that meet there will do.
    off = min(angle_between(normal, axis) for normal in normals)
    if off <= _OFF_NORMAL_DEG:
        return []
    where = "into the part" if off > 90 else "beside the normal"
    return [
        Finding(
            f"the axis_of_interest {_list(axis)} points {where}: it is {off:.0f} degrees off the normal of the surface "
            f"at the point_of_interest, {_list(normals[0])}",
            True,
        )
    ]


def _of_colour(part: Part, mesh: Mesh) -> list[Finding]:
    if not part.colour:
        return [
            Finding(
                "colour is empty, so no image of a captured session can be labelled: `cadsight part colour IMAGE` "
                "finds the range in an image of the part",
                True,
            )
        ]
    found = []
    for i, one in enumerate(part.colour):
        hues = (one.high[0] - one.low[0]) % 180 + 1
        if hues > _WIDE:
            found.append(Finding(f"colour[{i}] holds {hues} of 180 hues, expected one colour: at most some 30", True))
        if one.low[1] < _GREY:
            found.append(
                Finding(
                    f"colour[{i}] begins at the saturation {one.low[1]}, where greys are: expected {_GREY} or more",
                    True,
                )
            )
    if mesh.colours is None:
        red, green, blue = (round(255 * float(v)) for v in to_display(part.display_colour))
        hue, saturation, _ = cv2.cvtColor(np.array([[[red, green, blue]]], np.uint8), cv2.COLOR_RGB2HSV)[0, 0].tolist()
        if saturation < _GREY or not any(_holds(one, hue) for one in part.colour):
            looks = "is grey" if saturation < _GREY else f"has the hue {hue}"
            found.append(
                Finding(
                    f"display_colour {_list(np.array(part.display_colour))} {looks}, which is not in colour: in the "
                    "simulated cell the part would not be found by its colour",
                    False,
                )
            )
    return found


def _of_symmetry(part: Part, mesh: Mesh) -> list[Finding]:
    found = []
    limit = TOLERANCE * mesh.diameter
    for i, one in enumerate(part.symmetry):
        error = turned_error(mesh, np.array(one.axis), one.order)
        if error > 2 * limit:
            found.append(
                Finding(
                    f"symmetry[{i}] says {_turn(one)}, after which the mesh is up to {1000 * error:.2f} mm beside "
                    "itself: axes go through the origin of the CAD file",
                    True,
                )
            )
    for one in expressible(find_symmetries(mesh), limit):
        known = any(
            _degrees(one.axis, other.axis) < _SAME_AXIS_DEG
            and (other.order == 0 or (one.order and other.order % one.order == 0))
            for other in part.symmetry
        )
        if not known:
            found.append(Finding(f"symmetry does not name {_turn(one)}, after which the mesh looks the same", False))
    return found


def _turn(symmetry: Symmetry) -> str:
    order = "any turn" if symmetry.order == 0 else f"1/{symmetry.order} of a turn"
    return f"{order} about {_list(np.array(symmetry.axis))}"


def _degrees(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    between = angle_between(np.array(one), np.array(other))
    return min(between, 180 - between)


def _holds(colour: ColourRange, hue: int) -> bool:
    low, high = colour.low[0], colour.high[0]
    return low <= hue <= high if low <= high else hue >= low or hue <= high


def _list(values: Array) -> str:
    return "[" + ", ".join(f"{round(float(v), 4) + 0.0:g}" for v in values) + "]"
