"""OBJ, with its material files."""

import contextlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import decode_image
from cadsight_core.meshes.files import textures
from cadsight_core.meshes.files.polygons import cut
from cadsight_core.meshes.source import Source
from cadsight_core.meshes.triangles import Triangles

_FREE_FORM = ("curv", "curv2", "surf", "cstype")
_WITHOUT_IMAGE = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class _Material:
    colour: tuple[float, ...] = _WITHOUT_IMAGE
    image: str | None = None


@dataclass
class _Content:
    """The content of the lines; indices count from 0, -1 for no point in a texture."""

    vertices: list[list[float]] = field(default_factory=list)
    colours: list[list[float]] = field(default_factory=list)
    texture_points: list[list[float]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    corners: list[int] = field(default_factory=list)
    corner_texture_points: list[int] = field(default_factory=list)
    # Of each polygon, the number of its material in `materials`.
    used: list[int] = field(default_factory=list)
    materials: list[str] = field(default_factory=lambda: [""])
    libraries: list[str] = field(default_factory=list)
    small: int = 0
    free_form: int = 0


def read_obj(source: Source) -> Triangles:
    """The polygons of the file, with colours of vertices or of textures.

    Raises:
        CadsightError: for a line that cannot be read, or a face of vertices that the file has not, with its line.
    """
    content = _parsed(source.data.decode("utf-8", "replace"))
    _check(content.corners, len(content.vertices), "vertex")
    _check(content.corner_texture_points, len(content.texture_points), "place in a texture")
    vertices = np.array(content.vertices, float).reshape(-1, 3)
    sizes, corners = np.array(content.sizes, np.int64), np.array(content.corners, np.int64)
    triangles, owner = cut(vertices, sizes, corners)
    notes = []
    if content.small:
        notes.append(f"{content.small} faces of fewer than 3 vertices were left out")
    if content.free_form:
        notes.append(f"{content.free_form} lines of free-form curves and surfaces were left out")
    if len(content.colours) == len(vertices) and len(vertices):
        colours = np.array(content.colours, float)
        colours = colours / (255.0 if colours.max(initial=0) > 1 else 1.0)
        return Triangles(vertices, corners[triangles], _bytes(colours), tuple(notes))
    split = None
    if any(p >= 0 for p in content.corner_texture_points):
        split = _painted(source, content, triangles, owner, notes)
    if split is None:
        return Triangles(vertices, corners[triangles], notes=tuple(notes))
    own = np.arange(triangles.size, dtype=np.int64).reshape(-1, 3)
    return Triangles(vertices[corners[triangles.reshape(-1)]], own, split, tuple(notes))


def _parsed(text: str) -> _Content:
    content, material, begun = _Content(), 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        line = begun + line.rstrip()
        if line.endswith("\\"):
            begun = line[:-1] + " "
            continue
        begun = ""
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        comment = next((i for i, word in enumerate(words) if word.startswith("#")), None)
        words = words[:comment]
        try:
            if words[0] == "v":
                numbers = [float(w) for w in words[1:]]
                if len(numbers) < 3:
                    raise ValueError("a vertex has fewer than 3 numbers")
                content.vertices.append(numbers[:3])
                if len(numbers) in (6, 7):
                    content.colours.append(numbers[3:6])
            elif words[0] == "vt":
                content.texture_points.append([float(words[1]), float(words[2]) if len(words) > 2 else 0.0])
            elif words[0] in ("f", "fo"):
                _face(content, words[1:], material)
            elif words[0] == "usemtl":
                name = line.strip()[6:].strip()
                if name not in content.materials:
                    content.materials.append(name)
                material = content.materials.index(name)
            elif words[0] == "mtllib":
                content.libraries.append(line.strip()[6:].strip())
            elif words[0] in _FREE_FORM:
                content.free_form += 1
        except (ValueError, IndexError) as error:
            raise CadsightError(f"its line {number} is {line[:60]!r}: {error}") from error
    return content


def _face(content: _Content, words: list[str], material: int) -> None:
    if len(words) < 3:
        content.small += 1
        return
    for word in words:
        parts = word.split("/")
        content.corners.append(_index(parts[0], len(content.vertices)))
        texture_point = parts[1] if len(parts) > 1 else ""
        content.corner_texture_points.append(
            _index(texture_point, len(content.texture_points)) if texture_point else -1
        )
    content.sizes.append(len(words))
    content.used.append(material)


def _index(word: str, count: int) -> int:
    """From 0: the file counts from 1, also what comes later, or back from the last of the ``count`` so far."""
    index = int(word)
    if index == 0 or count + index < 0:
        raise ValueError(f"{index} is none of the {count} so far, expected to count from 1, or back from -1")
    return index - 1 if index > 0 else count + index


def _check(indices: list[int], count: int, what: str) -> None:
    most = max(indices, default=-1)
    if most >= count:
        raise CadsightError(f"a face has the {what} {most + 1}, expected 1 to {count}")


def _painted(
    source: Source, content: _Content, triangles: NDArray[np.int64], owner: NDArray[np.int64], notes: list[str]
) -> NDArray[np.uint8] | None:
    """Colours (3 F, 3) of the triangles' corners, None where no image is to be had."""
    known = _libraries(source, content.libraries, notes)
    texture_points = np.array([*content.texture_points, [0.0, 0.0]], float)
    at = texture_points[np.array(content.corner_texture_points, np.int64)][triangles.reshape(-1)]
    at[:, 1] = 1 - at[:, 1]
    is_textured = np.array(content.corner_texture_points, np.int64)[triangles.reshape(-1)] >= 0
    used = np.repeat(np.array(content.used, np.int64)[owner], 3)
    colours = np.empty((len(used), 3), np.uint8)
    seen = False
    for number in np.unique(used):
        material = known.get(content.materials[number], _Material())
        here = used == number
        colours[here] = _bytes(np.array(material.colour))
        if material.image is None or not (here & is_textured).any():
            continue
        image = None
        with contextlib.suppress(CadsightError):
            image = decode_image(source.beside(material.image), material.image)
        if image is None:
            notes.append(f"its texture {material.image!r} could not be read")
            continue
        colours[here & is_textured] = textures.sampled(image, at[here & is_textured])
        seen = True
    return colours if seen else None


def _libraries(source: Source, names: list[str], notes: list[str]) -> dict[str, _Material]:
    found: dict[str, _Material] = {}
    for line in dict.fromkeys(names):
        # Names may hold blanks, and a line several names.
        for name in [line] if _is_there(source, line) else line.split():
            try:
                found |= _materials(source.beside(name).decode("utf-8", "replace"))
            except CadsightError:
                notes.append(f"its materials {name!r} could not be read")
    return found


def _is_there(source: Source, name: str) -> bool:
    with contextlib.suppress(CadsightError):
        source.beside(name)
        return True
    return False


def _materials(text: str) -> dict[str, _Material]:
    found: dict[str, _Material] = {}
    name, colour, image = None, _WITHOUT_IMAGE, None
    for line in [*text.splitlines(), "newmtl"]:
        words = line.split()
        if not words:
            continue
        if words[0] == "newmtl":
            if name is not None:
                found[name] = _Material(colour, image)
            name, colour, image = line.strip()[6:].strip(), _WITHOUT_IMAGE, None
        elif words[0] == "Kd":
            with contextlib.suppress(ValueError):
                red, green, blue = (float(w) for w in words[1:4])
                colour = (red, green, blue)
        elif words[0] == "map_Kd":
            rest = line.strip()[6:].strip()
            # Behind options comes the name; one without options may hold blanks.
            image = rest.split()[-1] if rest.startswith("-") else rest
    return found


def _bytes(colours: Array) -> NDArray[np.uint8]:
    return np.round(np.clip(np.nan_to_num(colours), 0, 1) * 255).astype(np.uint8)
