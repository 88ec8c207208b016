"""STL, binary and ASCII."""

import re

import numpy as np

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.meshes.files.numbers import numbers_of
from cadsight_core.meshes.files.polygons import cut
from cadsight_core.meshes.source import Source
from cadsight_core.meshes.triangles import Triangles

_HEADER = 84
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
# What programs write that do not know the count when they begin.
_UNKNOWN_COUNTS = (0, 0xFFFFFFFF)
_NUMBER = rb"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf|1\.#\w)\S*"
_VERTEX = re.compile(
    rb"\bvertex\s+(" + _NUMBER + rb")\s+(" + _NUMBER + rb")\s+(" + _NUMBER + rb")(?=\s|$)", re.IGNORECASE
)
_NAMING = re.compile(rb"^[ \t]*(?:end)?solid\b.*$", re.IGNORECASE | re.MULTILINE)
_SOLID_END = re.compile(rb"\bendsolid\b", re.IGNORECASE)
_FACET = re.compile(rb"\bfacet\b", re.IGNORECASE)
_FACET_END = re.compile(rb"\bendfacet\b", re.IGNORECASE)


def read_stl(source: Source) -> Triangles:
    """The triangles of all solids of the file.

    Raises:
        CadsightError: for a file that is cut off or is no STL.
    """
    data = source.data
    if _is_text(data):
        return _ascii(data)
    return _binary(data)


def _is_text(data: bytes) -> bool:
    begin = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not begin.startswith((b"solid", b"facet")) or b"\0" in data[:_HEADER]:
        return False
    # Binary files may call their header so too; their count decides.
    return len(data) < _HEADER or len(data) != _HEADER + _TRIANGLE.itemsize * int.from_bytes(data[80:_HEADER], "little")


def _binary(data: bytes) -> Triangles:
    if len(data) < _HEADER:
        raise CadsightError(f"it has {len(data)} bytes, expected the {_HEADER} of a header at least")
    stated = int.from_bytes(data[80:_HEADER], "little")
    there, over = divmod(len(data) - _HEADER, _TRIANGLE.itemsize)
    notes: tuple[str, ...] = ()
    count = stated
    if stated in _UNKNOWN_COUNTS and there and not over:
        count = there
        notes = (f"its header counts {stated} triangles, of which {there} are there and were read",)
    elif stated > there:
        raise CadsightError(f"its header counts {stated} triangles and {there} are there, expected a whole file")
    elif len(data) > _HEADER + stated * _TRIANGLE.itemsize and stated:
        notes = (
            f"{len(data) - _HEADER - stated * _TRIANGLE.itemsize} bytes behind its last triangle were passed over",
        )
    elif len(data) > _HEADER and not stated:
        raise CadsightError(f"its header counts 0 triangles, and {len(data) - _HEADER} bytes follow that are none")
    corners = np.frombuffer(data, _TRIANGLE, count, _HEADER)["corners"].reshape(-1, 3).astype(float)
    return Triangles(corners, np.arange(3 * count, dtype=np.int64).reshape(-1, 3), notes=notes)


def _ascii(data: bytes) -> Triangles:
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\n" in text.strip():
        text = _NAMING.sub(b"", text)  # a solid may be called anything, vertex too
    loops = text.lower().split(b"endloop")
    facets, whole = len(_FACET.findall(text)), len(_FACET_END.findall(text))
    if facets != len(loops) - 1 or facets != whole or b"vertex" in loops[-1]:
        raise CadsightError(f"{facets} of its facets begin and {min(whole, len(loops) - 1)} end, expected a whole file")
    sizes = np.array([loop.count(b"vertex") for loop in loops[:-1]], np.int64)
    if (sizes < 3).any():
        first = int(np.argmax(sizes < 3))
        raise CadsightError(f"its facet {first + 1} has {sizes[first]} vertices, expected 3")
    found = _VERTEX.findall(text)
    if len(found) != sizes.sum():
        raise CadsightError(f"{sizes.sum() - len(found)} of its vertices have no three numbers, expected vertex X Y Z")
    vertices = _numbers(found)
    faces, _ = cut(vertices, sizes, np.arange(len(vertices), dtype=np.int64))
    ended = _SOLID_END.search(data) is not None
    return Triangles(vertices, faces, notes=() if ended else ("it ends without endsolid: is it whole?",))


def _numbers(words: list[tuple[bytes, bytes, bytes]]) -> Array:
    try:
        return numbers_of([word for row in words for word in row]).reshape(-1, 3)
    except ValueError:  # such as 1.#QNAN, which Microsoft's C writes
        return np.array([[_number(w) for w in row] for row in words], float).reshape(-1, 3)


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
