"""The image that a label file means by a name, which was often right on another machine only."""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from cadsight_core.errors import CadsightError

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def lexically_inside(folder: Path, name: str) -> Path | None:
    """The path of ``name`` in ``folder``, None where the name leads out of it; a link in ``folder`` may lead anywhere.

    ``folder`` is absolute.
    """
    path = Path(os.path.normpath(folder / name))
    return path if path == folder or folder in path.parents else None


def same_name(text: str) -> str:
    """``text`` as it compares with other names: composed (Unicode's form C), percent signs decoded."""
    return unicodedata.normalize("NFC", unquote(text) if "%" in text else text)


class Index:
    """Files by their paths and by the ends of them, made once for all who look among them."""

    def __init__(self, folder: Path, files: Iterable[Path]) -> None:
        self._folder = folder
        self.files = {str(file): file for file in files}

    @cached_property
    def loose(self) -> dict[str, list[Path]]:
        """By path, capitals and ways to encode a letter set aside."""
        found: dict[str, list[Path]] = {}
        for file in sorted(self.files.values(), key=str):
            found.setdefault(_key(str(file)), []).append(file)
        return found

    @cached_property
    def ends(self) -> dict[str, list[Path]]:
        """By each end of the path in the folder, from the file's name alone to the whole."""
        found: dict[str, list[Path]] = {}
        for file in sorted(self.files.values(), key=str):
            depth = len(file.parts) - len(self._folder.parts) if file.is_relative_to(self._folder) else 1
            for count in range(1, depth + 1):
                found.setdefault(_key("/".join(file.parts[-count:])), []).append(file)
        return found


class Locator:
    """Finds images by the names that label files give them.

    A name is looked for as it stands, below each of ``bases``; then with Windows' separators, percent-encoded
    characters, composed and decomposed letters and capitals set aside. Of a name that is absolute, an address or leads
    out of its folder, as labelling tools export them, the longest end counts that names an image; with ``lost`` of any
    name, as the user says himself where the images lie.
    """

    def __init__(self, index: Index, bases: Sequence[Path], *, lost: bool = False) -> None:
        self._index, self._bases, self._lost = index, tuple(bases), lost
        self._starts = tuple(f"{base}{os.sep}" for base in bases)

    def find(self, name: str) -> Path | None:
        """The image called ``name``, None where there is none.

        Raises:
            CadsightError: when several images may be meant.
        """
        files = self._index.files
        for start in self._starts:  # a set has many names, and nearly all of them are right as they stand
            if start + name in files:
                return files[start + name]
        if "\0" in name:
            return None
        for base in self._bases:
            path = lexically_inside(base, name)
            if path is not None and str(path) in files:
                return path
        foreign = _is_foreign(name)
        parts = _parts(name)
        if not parts:
            return None
        if not foreign:
            for base in self._bases:
                found = self._one(self._index.loose.get(_key(str(base / PurePosixPath(*parts)))), parts, name)
                if found is not None:
                    return found
        if not foreign and not self._lost:
            return None
        for first in range(len(parts)):
            found = self._one(self._index.ends.get(_key("/".join(parts[first:]))), parts, name)
            if found is not None:
                return found
        return None

    def _one(self, found: list[Path] | None, parts: Sequence[str], name: str) -> Path | None:
        if found and len(found) > 1:
            exact = [f for f in found if f.name == parts[-1]]
            if len(exact) != 1:
                raise CadsightError(f"the name {name!r} may mean {found[0]} or {found[1]}, expected one image")
            return exact[0]
        return found[0] if found else None


def _key(text: str) -> str:
    return same_name(text).casefold()


def _is_foreign(name: str) -> bool:
    """Whether a name is of another machine or folder: absolute, with a drive, an address, or leading out."""
    flat = name.replace("\\", "/")
    return flat.startswith(("/", "../")) or "/../" in flat or bool(_DRIVE.match(name)) or bool(_URL.match(name))


def _parts(name: str) -> list[str]:
    """The folders and the file of a name, without drive, host, query and steps up."""
    if _URL.match(name) or "?" in name:
        try:
            address = urlsplit(name)
        except ValueError:  # brackets that are not closed: an address of nothing
            return []
        # Label Studio names local files by a query: /data/local-files/?d=images/a.png
        paths = parse_qs(address.query).get("d")
        name = paths[0] if paths else address.path
    name = re.sub(r"^[A-Za-z]:(?=[\\/])", "", name).replace("\\", "/")
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            parts.clear()  # what lies before a step up is not where the image is
        elif part not in ("", "."):
            parts.append(part)
    return parts
