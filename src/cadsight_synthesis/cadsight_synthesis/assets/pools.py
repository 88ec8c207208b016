"""Weighted pools that samplers draw images, environments and meshes from: the user's folders, or built-in ones."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from cadsight_core.camera import ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import SUFFIXES, image_size, read_image
from cadsight_core.meshes.reading import MESH_SUFFIXES
from cadsight_core.parts.mesh import Mesh, Unit, load_mesh
from cadsight_core.storage.files import resolved
from numpy.random import Generator

from cadsight_synthesis.assets import built_in
from cadsight_synthesis.assets.shape import Shape

BUILT_IN = "built-in:"
ENVIRONMENT_SUFFIXES = (".exr", ".hdr", *SUFFIXES)
P = TypeVar("P", bound="Entry")


@dataclass(frozen=True)
class Source:
    """A file, a folder, or something built in by its name."""

    name: str

    @staticmethod
    def read(value: object, folder: Path) -> "Source":
        """What a recipe in ``folder`` says: ``built-in:NAME``, or a path relative to it.

        Raises:
            CadsightError: when it says neither.
        """
        if not isinstance(value, str) or not value:
            raise CadsightError(f"the source is {value!r}, expected a file, a folder or {BUILT_IN}NAME")
        return Source(value if value.startswith(BUILT_IN) else str(resolved(folder, value)))

    def files(self, suffixes: Sequence[str], what: str) -> tuple[Path, ...]:
        """The files in it, in the order of their names.

        Raises:
            CadsightError: when there is nothing of that name, or no file with one of ``suffixes`` in it.
        """
        if self.name.startswith(BUILT_IN):
            return built_in.files(self.name.removeprefix(BUILT_IN), what)
        path = Path(self.name)
        if os.path.isfile(path):  # Path's own raises for a name too long for the disk
            return (path,)
        if not os.path.isdir(path):
            raise CadsightError(f"the pool {path} does not exist, expected a folder or a file of {what}")
        found = tuple(sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file()))
        if not found:
            raise CadsightError(f"the pool {path} is empty, expected {what} in it ({', '.join(suffixes)})")
        return found


@dataclass(frozen=True)
class Entry:
    """One source of a pool, drawn as often as its weight says beside the others'."""

    source: Source = parameter(Source(""), f"a file, a folder relative to the recipe, or {BUILT_IN}NAME")
    weight: float = parameter(1.0, "how often it is chosen, relative to the others", minimum=0.0)

    def __post_init__(self) -> None:
        check(self)

    def files(self) -> tuple[Path, ...]:
        """The files, in the order of their names."""
        raise NotImplementedError

    def check_files(self, smallest: ImageSize) -> None:
        """Refuse a pool that is empty or holds what cannot be used; ``smallest`` is the size of the images to make.

        Raises:
            CadsightError: naming the first file at fault.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class ImageEntry(Entry):
    """Photographs to show behind the parts."""

    def files(self) -> tuple[Path, ...]:
        return files_of(self.source, SUFFIXES, "photographs")

    def check_files(self, smallest: ImageSize) -> None:
        check_images(self.files(), smallest)


@dataclass(frozen=True)
class EnvironmentEntry(Entry):
    """Environments that light the scene: images of all directions, best with high dynamic range."""

    def files(self) -> tuple[Path, ...]:
        return files_of(self.source, ENVIRONMENT_SUFFIXES, "environments")

    def check_files(self, smallest: ImageSize) -> None:
        for path in self.files():
            if path.suffix.lower() in SUFFIXES:
                image_size(path)
            elif not path.read_bytes()[:10].startswith((b"\x76\x2f\x31\x01", b"#?")):
                raise CadsightError(f"the environment {path} is no image, expected OpenEXR or Radiance HDR")


@dataclass(frozen=True)
class MeshEntry(Entry):
    """Meshes of things that are not wanted."""

    unit: Unit = parameter("mm", "unit of STL, PLY and OBJ files")

    def files(self) -> tuple[Path, ...]:
        return files_of(self.source, MESH_SUFFIXES, "meshes")

    def check_files(self, smallest: ImageSize) -> None:
        for path in self.files():
            self._mesh(path)

    def shape(self, path: Path, diameter_m: float) -> Shape:
        """The mesh in ``path``, made so large."""
        mesh = self._mesh(path)
        return Shape.of(mesh, diameter_m / mesh.diameter)

    def _mesh(self, path: Path) -> Mesh:
        return _mesh(path, "m" if self.source.name.startswith(BUILT_IN) else self.unit)


def sample_entry(rng: Generator, pool: Sequence[P]) -> P:
    """One of the entries, by their weights."""
    weights = [entry.weight for entry in pool]
    return pool[int(rng.choice(len(pool), p=[w / sum(weights) for w in weights]))]


def sample_image(rng: Generator, entry: ImageEntry | EnvironmentEntry | MeshEntry) -> Path:
    """One of the entry's files, all equally likely."""
    files = entry.files()
    return files[int(rng.integers(len(files)))]


def check_pool(pool: Sequence[Entry]) -> None:
    """Refuse a pool of which nothing would ever be drawn.

    Raises:
        CadsightError: when all weights are zero.
    """
    if pool and not any(entry.weight > 0 for entry in pool):
        raise CadsightError("the pool is empty, for all its weights are 0, expected one above")


def check_images(files: Iterable[Path], smallest: ImageSize | None = None, *, whole: bool = False) -> None:
    """Refuse files that are no images, and images that do not cover ``smallest``.

    Args:
        whole: read each to its end, not its header alone.

    Raises:
        CadsightError: naming the first such file.
    """
    for path in files:
        size = image_size(path)
        if whole:
            read_image(path)
        if smallest is not None and (size.width < smallest.width or size.height < smallest.height):
            raise CadsightError(
                f"the background {path} is {size.width} x {size.height} pixels, expected at least "
                f"the image's {smallest.width} x {smallest.height}"
            )


@lru_cache(maxsize=64)
def files_of(source: Source, suffixes: tuple[str, ...], what: str) -> tuple[Path, ...]:
    """The files of a source, looked up once."""
    return source.files(suffixes, what)


@lru_cache(maxsize=64)
def _mesh(path: Path, unit: Unit) -> Mesh:
    return load_mesh(path, unit)
