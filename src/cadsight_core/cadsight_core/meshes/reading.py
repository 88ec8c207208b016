"""Which reader reads which file."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cadsight_core.errors import CadsightError
from cadsight_core.meshes.files.gltf import read_glb
from cadsight_core.meshes.files.obj import read_obj
from cadsight_core.meshes.files.ply import read_ply
from cadsight_core.meshes.files.step import read_step
from cadsight_core.meshes.files.stl import read_stl
from cadsight_core.meshes.source import Source
from cadsight_core.meshes.triangles import Triangles


@dataclass(frozen=True)
class Reader:
    """A kind of file.

    Attributes:
        name: as users call it.
        suffixes: of its files, lower case.
        read: makes triangles of one, and raises a CadsightError whose sentence goes on behind the file's name.
        states_unit: its numbers are metres, whatever the user says.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Source], Triangles]
    states_unit: bool = False


READERS = (
    Reader("STL", (".stl",), read_stl),
    Reader("PLY", (".ply",), read_ply),
    Reader("OBJ", (".obj",), read_obj),
    Reader("GLB", (".glb",), read_glb, states_unit=True),
    Reader("STEP", (".step", ".stp"), read_step, states_unit=True),
)
_BY_SUFFIX: Mapping[str, Reader] = {suffix: reader for reader in READERS for suffix in reader.suffixes}
MESH_SUFFIXES = tuple(_BY_SUFFIX)
# What lies under a CAD file's name and is none, by its first bytes.
_OTHERS = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"%PDF": "a PDF",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"version https://git-lfs": "a pointer of Git LFS and not the file itself",
}


def reader_of(path: Path) -> Reader:
    """The reader of a file by its suffix.

    Raises:
        CadsightError: when there is none.
    """
    reader = _BY_SUFFIX.get(path.suffix.lower())
    if reader is None:
        raise CadsightError(f"the mesh {path} ends in {path.suffix!r}, expected one of {', '.join(MESH_SUFFIXES)}")
    return reader


def read_triangles(path: str | Path) -> Triangles:
    """The triangles of a file as they are, in its unit.

    Raises:
        CadsightError: for a missing or unreadable file, an unknown kind, or one without triangles.
    """
    path = Path(path)
    if not os.path.isfile(path):  # Path's own raises for a name too long for the disk
        names = ", ".join(r.name for r in READERS[:-1])
        raise CadsightError(f"the mesh {path} does not exist, expected a file in {names} or {READERS[-1].name}")
    reader = reader_of(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CadsightError(f"the mesh {path} could not be read: {error.strerror}") from error
    other = next((what for begin, what in _OTHERS.items() if data.startswith(begin)), None)
    if other is not None:
        raise CadsightError(f"the mesh {path} is {other}, expected {reader.name}")
    try:
        # Numbers that are none are left out later, with a note.
        with np.errstate(over="ignore", invalid="ignore"):
            found = reader.read(Source(path, data))
    except CadsightError as error:
        raise CadsightError(f"the mesh {path} could not be read as {reader.name}: {error}") from error
    if not len(found.faces):
        raise CadsightError(f"the mesh {path} has no triangles, expected a surface")
    return found
