"""Reading a data set of any known format."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.coco.reading import home_of
from cadsight_core.formats.files.json_files import json_bytes, parse_json, without_collection
from cadsight_core.formats.known import READERS
from cadsight_core.formats.reading.finding import Claim, Found, Loaded, UnreadSetError, found, looks_like_labels
from cadsight_core.formats.reading.merging import one_class_a_name
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.formats.reading.where import Where
from cadsight_core.formats.yolo.layout import find_yaml
from cadsight_core.sample import Sample

EXPECTED = ", ".join(reader.contents for reader in READERS)


@dataclass(frozen=True)
class Reading:
    """How a set is read where its files leave that open.

    Attributes:
        images: folder of the images, when they lie elsewhere than the labels say.
        class_attribute: VIA's attribute that holds the class.
        allow_loss: whether what cannot be used, or nobody reads, is left out instead of refused.
    """

    images: Path | None = None
    class_attribute: str | None = None
    allow_loss: bool = False


def load(path: str | Path, reading: Reading | None = None) -> tuple[Sequence[Sample], tuple[str, ...]]:
    """Samples with absolute images, and classes, of a data set in any known format.

    Raises:
        CadsightError: when nothing known is there, a label or image cannot be used, or files that look like labels
            are not read.
    """
    loaded = read(path, reading=reading)
    return loaded.samples, loaded.classes


def read(path: str | Path, notes: Notes | None = None, reading: Reading | None = None) -> Loaded:
    """Like :func:`load`, with the format and the entries of a file for the whole set; ``notes`` collects problems.

    Raises:
        CadsightError: when nothing known is there; and unless ``notes`` collects them, for the first problem.
    """
    reading = reading or Reading()
    there = find(path, reading)
    notes = notes or Notes(strict=not reading.allow_loss)
    return read_found(there, notes)


def read_found(there: Found, notes: Notes) -> Loaded:
    """The set that was found.

    Raises:
        CadsightError: where ``notes`` are strict, for the first problem or file that looks like labels and is not read.
    """
    if notes.strict and there.refusal:
        raise UnreadSetError(there.refusal)
    with without_collection():
        loaded = one_class_a_name(there.claim.read(notes), notes, there.folder)
    for unclaimed in there.labels:
        text = f"it looks like labels ({unclaimed.what}) and nothing reads it, expected no such file"
        notes.remark("unread label file", unclaimed.file, text, loses="label files")
    return loaded


def find(path: str | Path, reading: Reading | None = None) -> Found:
    """Which reader claims which files at ``path``, and which nobody does.

    A set that lies further down in a folder of nothing else is found there.

    Raises:
        CadsightError: when nothing known is there, or several sets are.
    """
    reading = reading or Reading()
    path = Path(path)
    if not path.exists():
        raise CadsightError(f"{path} does not exist, expected a data set")
    path = path.resolve()
    if reading.images is not None and not reading.images.is_dir():
        raise CadsightError(f"{reading.images} is no folder, expected one with the images")
    images = Tree.of(reading.images.resolve()) if reading.images is not None else None
    if path.is_dir():
        tree = _home(Tree.of(path))
        where = Where(tree, None, images, reading.class_attribute)
        with without_collection():
            claim = next((c for r in READERS if (c := r.claim(where)) is not None), None)
        _refuse_broken([f for f in tree.ending(".json") if claim is None or f not in claim.labels])
        if claim is None:
            raise UnreadSetError(f"{path} holds no known data set, expected {EXPECTED}")
        return found(tree, claim)
    tree = Tree.of(home_of(path))
    claim = _claim_of_file(path, Where(tree, path, images, reading.class_attribute))
    # Nobody asked for the files beside it.
    return Found(tree.folder, claim, (), ())


def _claim_of_file(path: Path, where: Where) -> Claim:
    suffix = path.suffix.lower()
    for reader in READERS:
        if suffix in reader.suffixes:
            claim = reader.claim(where)
            if claim is not None:
                return claim
    if suffix == ".json":
        parse_json(json_bytes(path), path)
        raise UnreadSetError(f"{path} has no JSON of COCO, VIA, LabelMe or Label Studio, expected {EXPECTED}")
    raise UnreadSetError(f"{path} is in no known format, expected {EXPECTED}")


def _refuse_broken(files: Iterable[Path]) -> None:
    """Raises for JSON that looks like labels and is cut short: its format is not known any more."""
    for file in files:
        if looks_like_labels(file):
            parse_json(json_bytes(file), file)


def _home(tree: Tree) -> Tree:
    """The part of a folder in which its data set lies: the folder, or the only one below that is marked as a set.

    Raises:
        CadsightError: when several do.
    """
    if _is_home(tree):
        return tree
    homes: list[Path] = []
    for folder in sorted(
        {f.parent for f in tree.files if f.suffix.lower() in (".yaml", ".yml") or f.name == "dataset.json"}
    ):
        if (
            folder != tree.folder
            and not any(home in folder.parents for home in homes)
            and _is_home(tree.inside(folder))
        ):
            homes.append(folder)
    if len(homes) > 1:
        names = " and ".join(os.path.relpath(home, tree.folder) for home in homes[:2])
        raise CadsightError(f"{tree.folder} holds {len(homes)} data sets, such as {names}, expected the path of one")
    return tree.inside(homes[0]) if homes else tree


def _is_home(tree: Tree) -> bool:
    return Dataset.is_one(tree.folder) or find_yaml(tree) is not None
