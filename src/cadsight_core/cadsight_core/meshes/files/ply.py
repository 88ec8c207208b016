"""PLY, ASCII and binary of either byte order, with any elements and lists."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import decode_image
from cadsight_core.meshes.files import textures
from cadsight_core.meshes.files.numbers import numbers_of
from cadsight_core.meshes.files.polygons import cut
from cadsight_core.meshes.source import Source
from cadsight_core.meshes.triangles import Triangles

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8", "int64": "i8", "uint64": "u8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_COLOURS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
_TEXTURE_NAMES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
_CORNERS = ("vertex_indices", "vertex_index")


@dataclass(frozen=True)
class _Property:
    name: str
    kind: str
    # The type of its count where it is a list.
    count: str | None = None


@dataclass
class _Element:
    """A table of the file: its columns, (N,) each, and its lists, of each the sizes (N,) and the values in a row."""

    name: str
    rows: int
    properties: list[_Property] = field(default_factory=list)
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    lists: dict[str, tuple[NDArray[np.int64], NDArray[Any]]] = field(default_factory=dict)

    def stack(self, names: tuple[str, ...]) -> NDArray[Any] | None:
        return np.stack([self.columns[n] for n in names], axis=1) if all(n in self.columns for n in names) else None


def read_ply(source: Source) -> Triangles:
    """The faces and triangle strips of the file, with colours of vertices, faces or a texture.

    Raises:
        CadsightError: for a file that is cut off, is no PLY or has faces of vertices that it has not.
    """
    order, elements, images, body = _header(source.data)
    (_ascii if not order else _binary)(elements, body, order)
    tables = {e.name: e for e in elements}
    points = tables.get("vertex")
    vertices = None if points is None else points.stack(("x", "y", "z"))
    if points is None or vertices is None:
        raise CadsightError("it has no vertices with x, y and z")
    vertices = vertices.astype(float)
    sizes, corners, face = _corners(tables)
    outside = (corners < 0) | (corners >= len(vertices))
    if outside.any():
        raise CadsightError(
            f"a face has the vertex {int(corners[np.argmax(outside)])}, expected 0 to {len(vertices) - 1}"
        )
    triangles, owner = cut(vertices, sizes, corners)
    notes = []
    if (sizes < 3).any():
        notes.append(f"{(sizes < 3).sum()} faces of fewer than 3 vertices were left out")
    colours = _colours(points)
    if colours is not None:
        return Triangles(vertices, corners[triangles], colours, tuple(notes))
    # What belongs to faces or their corners gives each triangle corners of its own.
    painted = _colours(tables["face"]) if face else None
    split = None if painted is None else np.repeat(painted[owner], 3, axis=0)
    if split is None and images:
        texture_points = _texture_points(points, tables.get("face") if face else None, sizes, corners)
        if texture_points is not None:
            image = None
            with contextlib.suppress(CadsightError):
                image = decode_image(source.beside(images[0]), images[0])
            if image is None:
                notes.append(f"its texture {images[0]!r} could not be read")
            else:
                split = textures.sampled(image, texture_points[triangles.reshape(-1)])
    if split is None:
        return Triangles(vertices, corners[triangles], notes=tuple(notes))
    own = np.arange(triangles.size, dtype=np.int64).reshape(-1, 3)
    return Triangles(vertices[corners[triangles.reshape(-1)]], own, split, tuple(notes))


def _header(data: bytes) -> tuple[str, list[_Element], list[str], bytes]:
    """Byte order, empty for text; the elements; names of textures; what follows the header."""
    head = data[:5]
    if not head.startswith(b"ply"):
        raise CadsightError(f"it begins with {head!r}, expected b'ply'")
    order, elements, images, at = None, [], [], 0
    while True:
        ends = [e for e in (data.find(b"\n", at), data.find(b"\r", at)) if e >= 0]
        if not ends:
            raise CadsightError("it ends before end_header, expected a whole file")
        line = data[at : min(ends)].decode("latin-1")
        at = min(ends) + (2 if data[min(ends) : min(ends) + 2] == b"\r\n" else 1)
        words = line.split()
        if words[:1] == ["end_header"]:
            break
        try:
            if words[:1] == ["format"]:
                order = _ORDERS[words[1]]
            elif words[:1] == ["element"]:
                elements.append(_Element(words[1], _count(words[2])))
            elif words[:2] == ["property", "list"]:
                _, _, count, kind, name = words
                elements[-1].properties.append(_Property(name, _TYPES[kind], _TYPES[count]))
            elif words[:1] == ["property"]:
                _, kind, name = words
                elements[-1].properties.append(_Property(name, _TYPES[kind]))
            elif words[:2] == ["comment", "TextureFile"]:
                images.append(line.split(None, 2)[2])
        except (KeyError, IndexError, ValueError) as error:
            raise CadsightError(
                f"its header has the line {line!r}, expected a format, an element or a property"
            ) from error
    if order is None:
        raise CadsightError("its header has no format, expected ascii or binary")
    return order, elements, images, data[at:]


def _count(word: str) -> int:
    count = int(word)
    if count < 0:
        raise ValueError
    return count


def _binary(elements: list[_Element], body: bytes, order: str) -> None:
    at = 0
    for element in elements:
        kinds = [np.dtype(order + p.kind) for p in element.properties]
        counts = [None if p.count is None else np.dtype(order + p.count) for p in element.properties]
        least = sum(k.itemsize if c is None else c.itemsize for k, c in zip(kinds, counts, strict=True))
        if element.rows * least > len(body) - at:
            raise _cut_off(element)
        at = _fixed_rows(element, kinds, counts, body, at) or _walked_rows(element, kinds, counts, body, at)


def _fixed_rows(
    element: _Element, kinds: list[np.dtype[Any]], counts: list[np.dtype[Any] | None], body: bytes, at: int
) -> int | None:
    """Read rows whose lists are all as long as the first's, and return where they end; None where they are not."""
    fields: list[tuple[Any, ...]] = []
    first = at
    for i, (kind, count) in enumerate(zip(kinds, counts, strict=True)):
        size = 1
        if count is not None:
            if not element.rows or first + count.itemsize > len(body):
                return None
            size = int(np.frombuffer(body, count, 1, first)[0])
            fields.append((f"n{i}", count))
            first += count.itemsize
            if size < 0 or size * kind.itemsize > len(body):
                return None
        fields.append((f"v{i}", kind) if count is None else (f"v{i}", kind, (size,)))
        first += size * kind.itemsize
    row = np.dtype(fields)
    if element.rows * row.itemsize > len(body) - at:
        return None
    rows = np.frombuffer(body, row, element.rows, at) if row.itemsize else np.zeros(element.rows, row)
    for i, count in enumerate(counts):
        if count is not None and len(rows) and (rows[f"n{i}"] != rows[f"n{i}"][0]).any():
            return None
    for i, (prop, count) in enumerate(zip(element.properties, counts, strict=True)):
        if count is None:
            element.columns[prop.name] = rows[f"v{i}"]
        else:
            element.lists[prop.name] = (rows[f"n{i}"].astype(np.int64), rows[f"v{i}"].reshape(-1))
    return at + element.rows * row.itemsize


def _walked_rows(
    element: _Element, kinds: list[np.dtype[Any]], counts: list[np.dtype[Any] | None], body: bytes, at: int
) -> int:
    """Read rows one by one, and return where they end."""
    values: list[list[Any]] = [[] for _ in kinds]
    for _ in range(element.rows):
        for kind, count, into in zip(kinds, counts, values, strict=True):
            size = 1
            if count is not None:
                if at + count.itemsize > len(body):
                    raise _cut_off(element)
                size = int(np.frombuffer(body, count, 1, at)[0])
                at += count.itemsize
            if size < 0 or at + size * kind.itemsize > len(body):
                raise _cut_off(element)
            into.append(np.frombuffer(body, kind, size, at))
            at += size * kind.itemsize
    for prop, kind, count, into in zip(element.properties, kinds, counts, values, strict=True):
        joined = np.concatenate(into) if into else np.empty(0, kind)
        if count is None:
            element.columns[prop.name] = joined
        else:
            element.lists[prop.name] = (np.array([len(v) for v in into], np.int64), joined)
    return at


def _ascii(elements: list[_Element], body: bytes, _order: str) -> None:
    words = body.split()
    at = 0
    for element in elements:
        if element.rows * len(element.properties) > len(words) - at:
            raise _cut_off(element)
        try:
            at = _ascii_rows(element, words, at)
        except ValueError as error:
            raise CadsightError(f"its element {element.name!r} holds what is no number: {error}") from error


def _ascii_rows(element: _Element, words: list[bytes], at: int) -> int:
    if not any(p.count for p in element.properties):
        width = len(element.properties)
        table = numbers_of(words[at : at + element.rows * width]).reshape(element.rows, width)
        for prop, column in zip(element.properties, table.T, strict=True):
            element.columns[prop.name] = column.astype(prop.kind)
        return at + element.rows * width
    values: list[list[Any]] = [[] for _ in element.properties]
    for _ in range(element.rows):
        for prop, into in zip(element.properties, values, strict=True):
            size = 1
            if prop.count is not None:
                if at >= len(words):
                    raise _cut_off(element)
                size = int(words[at])
                at += 1
            if size < 0 or at + size > len(words):
                raise _cut_off(element)
            into.append([float(w) for w in words[at : at + size]])
            at += size
    for prop, into in zip(element.properties, values, strict=True):
        joined = np.array([v for row in into for v in row], float)
        if prop.kind[0] in "iu" and not np.isfinite(joined).all():
            raise ValueError(f"{prop.name} is not finite")
        joined = joined.astype(prop.kind)
        if prop.count is None:
            element.columns[prop.name] = joined
        else:
            element.lists[prop.name] = (np.array([len(v) for v in into], np.int64), joined)
    return at


def _cut_off(element: _Element) -> CadsightError:
    return CadsightError(f"it ends within its {element.rows} rows of {element.name!r}, expected a whole file")


def _corners(tables: dict[str, _Element]) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Sizes and vertices of all polygons; whether they are the element ``face``."""
    if "face" in tables:
        lists = tables["face"].lists
        found = next((lists[name] for name in _CORNERS if name in lists), None)
        if found is not None:
            return found[0], found[1].astype(np.int64), True
    if "tristrips" in tables:
        lists = tables["tristrips"].lists
        found = next((lists[name] for name in _CORNERS if name in lists), None)
        if found is not None:
            strips = np.concatenate([_unrolled(row) for row in np.split(found[1], np.cumsum(found[0])[:-1])])
            return np.full(len(strips), 3), strips.reshape(-1).astype(np.int64), False
    if not {"face", "tristrips"} & set(tables):  # a cloud of points
        return np.empty(0, np.int64), np.empty(0, np.int64), False
    raise CadsightError("its faces have no corners, expected a list vertex_indices")


def _unrolled(strip: NDArray[Any]) -> NDArray[np.int64]:
    """The triangles (N, 3) of strips with -1 between them."""
    strip = strip.astype(np.int64)
    found: list[NDArray[np.int64]] = [np.empty((0, 3), np.int64)]
    for part in np.split(strip, np.flatnonzero(strip == -1)):
        part = part[part != -1]
        if len(part) >= 3:
            triangles = np.stack([part[:-2], part[1:-1], part[2:]], axis=1)
            triangles[1::2] = triangles[1::2, [1, 0, 2]]
            found.append(triangles)
    return np.concatenate(found)


def _colours(table: _Element) -> NDArray[np.uint8] | None:
    """(N, 3), of whole numbers up to what their type holds and of others up to 1."""
    for names in _COLOURS:
        found = table.stack(names)
        if found is not None:
            kind = table.columns[names[0]].dtype
            most = float(np.iinfo(kind).max) if kind.kind in "iu" else 1.0
            if kind.kind in "iu" and kind.itemsize == 4:  # as ASCII files say int where they mean a byte
                most = 255.0
            return np.round(np.clip(np.nan_to_num(found.astype(float)) / most, 0, 1) * 255).astype(np.uint8)
    return None


def _texture_points(
    points: _Element, face: _Element | None, sizes: NDArray[np.int64], corners: NDArray[np.int64]
) -> Array | None:
    """Points (C, 2) in the texture, from its top, of each corner of the polygons."""
    found: Array | None = None
    given = None if face is None else face.lists.get("texcoord")
    if given is not None and np.array_equal(given[0], 2 * sizes):
        found = given[1].astype(float).reshape(-1, 2)
    for names in _TEXTURE_NAMES:
        at_vertices = points.stack(names)
        if found is None and at_vertices is not None:
            found = at_vertices.astype(float)[corners]
    return None if found is None else np.column_stack([found[:, 0], 1 - found[:, 1]])
