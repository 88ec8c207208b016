"""What lies in a folder that somebody else made: all files of it, without what no data set means."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cadsight_core.formats.reading.locating import Index
from cadsight_core.imaging.images import SUFFIXES

# What macOS and Windows leave in folders and archives; whatever begins with a point is passed over too.
_PASSED_OVER = {"__macosx", "thumbs.db", "desktop.ini", "ehthumbs.db"}


@dataclass(frozen=True)
class Tree:
    """The files of a folder and the folders in it.

    Attributes:
        folder: absolute.
        files: absolute, sorted. Links are followed, and a folder that holds itself by a link is entered once.
    """

    folder: Path
    files: tuple[Path, ...]

    @staticmethod
    def of(folder: str | Path) -> "Tree":
        folder = Path(os.path.abspath(folder))
        return Tree(folder, tuple(map(Path, sorted(_walk(str(folder), frozenset())))))

    @cached_property
    def images(self) -> tuple[Path, ...]:
        """The files that end like an image that can be read."""
        return self.ending(*SUFFIXES)

    @cached_property
    def index(self) -> Index:
        """The images by their names."""
        return Index(self.folder, self.images)

    @cached_property
    def stems(self) -> dict[str, list[str]]:
        """The names of the images by what they are without suffix."""
        found: dict[str, list[str]] = {}
        for image in self.images:
            found.setdefault(image.stem, []).append(image.name)
        return found

    def ending(self, *suffixes: str) -> tuple[Path, ...]:
        """The files that end in one of ``suffixes``, whatever the case."""
        return tuple(f for f in self.files if f.name.lower().endswith(suffixes))

    def inside(self, folder: Path) -> "Tree":
        """The part of it that lies in ``folder``."""
        return Tree(folder, tuple(f for f in self.files if f.is_relative_to(folder)))


def passed_over(name: str) -> bool:
    """Whether a file or folder of this name is none of a data set: hidden, or what a system leaves behind."""
    return name.startswith(".") or name.lower() in _PASSED_OVER


def _walk(folder: str, above: frozenset[tuple[int, int]]) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
        here = os.stat(folder)
    except OSError:
        return  # what may not be looked into holds nothing for us; a set in it is missed by its files
    identity = (here.st_dev, here.st_ino)
    if identity in above:
        return
    for entry in entries:
        if passed_over(entry.name):
            continue
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:  # a link to itself, or into what may not be looked into
            continue
        if is_folder:
            yield from _walk(entry.path, above | {identity})
        elif is_file:
            yield entry.path
