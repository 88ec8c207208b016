"""Folders of images: finding them, naming their samples, and writing a whole export or none of it."""

import contextlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cadsight_core.datasets.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_stream import write_json
from cadsight_core.formats.reading.locating import same_name
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.imaging.images import SUFFIXES
from cadsight_core.running.progress import step_if_many, with_progress_if_many
from cadsight_core.sample import Sample, Split
from cadsight_core.storage.files import inside
from cadsight_core.storage.output_folder import whole_folder

# Earlier versions left this in an export, without a list of what they wrote.
_MARK = ".cadsight-export"
_FILES = ("classes.txt", "data.yaml", "via_region_data.json", "labels.txt")
_SPLITS: dict[str, Split] = {"train": "train", "val": "valid", "valid": "valid", "validation": "valid", "test": "test"}

Image = tuple[Split, Path]


def split_of(name: str) -> Split:
    """The split that a folder or key is named after, '' where it is none."""
    return _SPLITS.get(name.lower(), "")


def split_among(parts: Sequence[str]) -> Split:
    """The split that the first of some folders is named after, '' where none is."""
    for part in parts:
        if split_of(part):
            return split_of(part)
    return ""


def images_in(folder: Path, *, deep: bool = True) -> list[Path]:
    """The images in ``folder`` by suffix, sorted, links followed; see :mod:`cadsight_core.formats.reading.tree`."""
    return [p for p in Tree.of(folder).images if deep or p.parent == folder]


def sample_names(images: Sequence[Image], folder: Path) -> list[str]:
    """A name for each image, unique among them: its stem, else split and stem, else its path in ``folder``.

    Names that differ in capitals alone, or in how a letter is encoded, are one file on many disks and count as one.
    """
    stems = [p.stem for _, p in images]
    if len(set(map(_file_key, stems))) == len(stems):
        return stems
    split_stems = [f"{split}_{p.stem}" if split else p.stem for split, p in images]
    paths = [p.relative_to(folder) if p.is_relative_to(folder) else Path(p.name) for _, p in images]
    whole = ["_".join(p.parts) for p in paths]
    for names in (split_stems, ["_".join(p.with_suffix("").parts) for p in paths], whole):
        if len(set(map(_file_key, names))) == len(names):
            return names
    counts: dict[str, int] = {}
    numbered = []
    for name in whole:
        counts[_file_key(name)] = counts.get(_file_key(name), 0) + 1
        numbered.append(f"{name}-{counts[_file_key(name)]}" if counts[_file_key(name)] > 1 else name)
    return numbered


def _file_key(name: str) -> str:
    return same_name(name).casefold()


def by_split(samples: Iterable[Sample]) -> dict[str, Sequence[Sample]]:
    """The samples of each split, splits in the order train, valid, test, none; those of a sequence stay there."""
    there = samples if isinstance(samples, Sequence) else list(samples)
    groups: dict[str, list[int]] = {"train": [], "valid": [], "test": [], "": []}
    for number, sample in enumerate(there):
        groups[sample.split].append(number)
    return {split: DerivedSamples(there.__getitem__, group) for split, group in groups.items() if group}


def write_splits(
    samples: Iterable[Sample],
    folder: str | Path,
    layout: Callable[[str], tuple[Path, Path]],
    content: Callable[[Sequence[Sample]], Any],
) -> list[Path]:
    """Write a JSON of each split and copy its images; returns the files.

    ``layout`` gives the folder of a split's images and its JSON, both in ``folder``, ``content`` the JSON's value
    (see :mod:`cadsight_core.formats.files.json_stream`). The folder appears when it is whole; an earlier export there
    is replaced.

    Raises:
        CadsightError: for an image that is missing, a name that is there twice, or a full disk.
    """
    folder = Path(folder).resolve()
    files = []
    with whole_export(folder) as work:
        for split, group in by_split(samples).items():
            images, file = layout(split)
            for parent in (work / images, (work / file).parent):
                parent.mkdir(parents=True, exist_ok=True)
            for sample in with_progress_if_many(group, len(group), "images written"):
                copy_image(sample, work / images)
            with step_if_many(len(group), "labels written"):
                write_json(work / file, content(group))
            files.append(folder / file)
    return files


def copy_image(sample: Sample, folder: Path) -> Path:
    """Copy the image of ``sample`` into ``folder`` under the sample's name.

    Raises:
        CadsightError: when it is missing, there already, leads out of ``folder`` or does not fit on the disk.
    """
    target = inside(folder, sample.name + sample.image.suffix.lower())
    if target.exists():
        raise CadsightError(f"two samples are called {sample.name!r}, expected each name once")
    try:
        shutil.copyfile(sample.image, target)
    except OSError as error:
        raise CadsightError(f"the image {sample.image} could not be copied to {target}: {error.strerror}") from error
    return target


def whole_export(folder: str | Path) -> contextlib.AbstractContextManager[Path]:
    """A folder to write an export in that becomes ``folder`` at the end, or vanishes when anything is raised.

    An earlier export there is replaced.

    Raises:
        CadsightError: as :func:`cadsight_core.storage.output_folder.whole_folder`.
    """
    return whole_folder(folder, earlier=earlier_export)


def earlier_export(folder: Path) -> list[str] | None:
    """What an export wrote that has the mark of earlier versions, which was empty, by the layouts of the formats."""
    if not (folder / _MARK).is_file():
        return None
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [name.as_posix() for name in names if name.as_posix() == _MARK or _is_of_an_export(name)]


def _is_of_an_export(name: Path) -> bool:
    """Whether a format's writer gives a file this name: images, YOLO's labels and tables, JSON, the regression's."""
    top, deep = name.parts[0], len(name.parts) - 1
    if name.suffix.lower() in SUFFIXES:
        return deep <= 2 and not name.name.startswith(".")
    if top == "labels":
        return deep in (1, 2) and name.suffix == ".txt"
    if top == "annotations":
        return deep == 1 and name.name.startswith("instances_") and name.suffix == ".json"
    return deep <= 1 and name.name in _FILES
