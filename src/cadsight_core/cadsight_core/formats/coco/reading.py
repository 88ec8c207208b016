"""COCO's instances JSON: boxes, polygons, run-length codes, key points, and all other entries, kept as they came.

Entries of an annotation beside box, class and score are kept in ``Instance.attributes``, those of an image beside
name and size in ``Sample.record["coco"]``, those of the file beside images and annotations in ``Loaded.extra``.
Classes come in the order of the categories.

An image that several files list, as ``instances_*`` and ``person_keypoints_*`` do, is one image with the labels of
both.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from cadsight_core.datasets.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.formats.coco.description import (
    FILE_KEYS,
    NOT_PLAIN,
    Annotation,
    Boxed,
    Captions,
    Category,
    CocoImage,
    Head,
    Names,
    Raw,
    fault,
    is_coco,
    is_id,
    is_typed,
)
from cadsight_core.formats.coco.samples import CocoSamples, Entry
from cadsight_core.formats.files.json_files import (
    checked,
    head_of,
    json_bytes,
    parse_json,
    sentence,
    without_collection,
)
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import sample_names, split_of
from cadsight_core.formats.reading.locating import Locator
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.running.progress import step_if_many, with_progress_if_many
from cadsight_core.sample import Split

# About.
_BYTES_A_LABEL = 100


@dataclass(frozen=True)
class _File:
    """A file whose images were found."""

    path: Path
    split: Split
    locator: Locator


@dataclass(frozen=True)
class _Contents:
    """What one file holds that can be used."""

    entries: list[tuple[Path, Entry]]
    classes: tuple[str, ...]
    extra: Raw
    categories: list[Raw] = field(default_factory=list)


def claim_coco(where: Where) -> Claim | None:
    """The claim on the COCO files, None where there are none."""
    files, captions = [], []
    for path in where.files(".json"):
        data = json_bytes(path)
        names = head_of(data, Names)
        if names is not None or head_of(data, Head) is not None:
            files.append((path, names))
        elif head_of(data, Captions) is not None:
            captions.append(path)
    if not files:
        return None
    opened = [_opened(path, where) for path, _ in files]
    images = dict.fromkeys(
        image
        for file, (_, names) in zip(opened, files, strict=True)
        for entry in (names.images if names else ())
        if (image := _found(file.locator, entry.file_name)) is not None
    )
    paths = [path for path, _ in files]
    why = f"images and categories in {paths[0].name}" + (f" and {len(paths) - 1} more files" if paths[1:] else "")
    return Claim(
        "coco", why, (*paths, *captions), tuple(images), lambda notes: _loaded(opened, where.tree.folder, notes)
    )


def home_of(file: Path) -> Path:
    """The folder of the set whose label file is ``file``: the one that holds annotations/, else the file's own."""
    return file.parent.parent if file.parent.name.lower() == "annotations" else file.parent


def _opened(path: Path, where: Where) -> _File:
    split = _split(path, where.tree.folder)
    return _File(path, split, where.locator(_image_folders(path, split)))


def _found(locator: Locator, name: str) -> Path | None:
    try:
        return locator.find(name)
    except CadsightError:
        return None


def _loaded(files: Sequence[_File], folder: Path, notes: Notes) -> Loaded:
    with without_collection():
        contents = [_contents(file, notes) for file in files]
    classes = tuple(dict.fromkeys(name for content in contents for name in content.classes))
    groups: dict[Path, list[Entry]] = {}
    for content in contents:
        ids = [classes.index(name) for name in content.classes]
        known = {c["id"]: ids[n] for n, c in enumerate(content.categories)}
        for image, entry in content.entries:
            groups.setdefault(image, []).append(replace(entry, classes=known))
    _note_repeated(groups, notes)
    found = [(entries[0].split, image) for image, entries in groups.items()]
    samples = CocoSamples(found, sample_names(found, folder), list(groups.values()), notes)
    categories = _merged_categories(contents, classes, notes)
    extra = {**(contents[0].extra if contents else {}), "categories": categories}
    return Loaded(DerivedSamples(samples.make, samples.usable), classes, "coco", extra, samples.columns)


def _merged_categories(contents: Sequence[_Contents], classes: Sequence[str], notes: Notes) -> list[Raw]:
    """The categories of all files, one for each class."""
    if len(contents) == 1 and len(contents[0].categories) == len(classes):
        return contents[0].categories
    merged: dict[str, Raw] = {}
    for content in contents:
        for category in content.categories:
            merged[category["name"]] = {**category, **merged.get(category["name"], {})}
    if len({c["id"] for c in merged.values()}) < len(merged):  # each file has ids of its own
        merged = {name: {**c, "id": n + 1} for n, (name, c) in enumerate(merged.items())}
    return list(merged.values())


def _note_repeated(groups: Mapping[Path, Sequence[Entry]], notes: Notes) -> None:
    repeated = [(image, entries) for image, entries in groups.items() if len(entries) > 1]
    leaks = [(image, e) for image, e in repeated if len({entry.split for entry in e}) > 1]
    if leaks:
        image, entries = leaks[0]
        other = next(e for e in entries if e.split != entries[0].split)
        text = (
            f"{len(leaks)} images stand in two splits, the first is {image}: {entries[0].split or 'none'} in "
            f"{entries[0].file} and {other.split or 'none'} in {other.file}, expected each once"
        )
        notes.problem("image in two splits", image, text)
    elif repeated:
        image, entries = repeated[0]
        where = f"{entries[0].file} and {entries[1].file}"
        summary = f"{len(repeated)} images are listed twice, the first in {where}"
        text = f"{summary}: each is one image with the labels of both"
        notes.remark("image listed twice", image, text)


def _contents(file: _File, notes: Notes) -> _Contents:
    path = file.path
    raw = json_bytes(path)
    with step_if_many(len(raw) // _BYTES_A_LABEL, f"{path.name} read"):
        data = parse_json(raw, path)
    if not is_coco(data):
        raise CadsightError(f"{path} is not COCO's JSON, expected the keys images, annotations and categories")
    categories = _categories(data["categories"], path, notes)
    known = {c["id"] for c in categories}
    entries = _images(data["images"], file, notes)
    by_id: dict[Any, list[tuple[int, Raw]]] = {}
    for entry, _ in entries:
        by_id[entry.get("id")] = []
    there = {entry["id"] for entry in data["images"] if isinstance(entry, dict) and is_id(entry.get("id"))}
    annotations = data.get("annotations") or []
    if not isinstance(annotations, list):
        raise CadsightError(f"{path}: annotations is {type(annotations).__name__}, expected a list")
    if "annotations" not in data:
        notes.remark("no labels", path, "it lists images and has no annotations: they count as showing nothing")
    boxed = is_typed(annotations, Boxed)
    typed = boxed or is_typed(annotations, Annotation)
    shaped: set[Any] = set()
    for number, annotation in with_progress_if_many(enumerate(annotations), len(annotations), "labels read"):
        if boxed and annotation["category_id"] in known and annotation.keys().isdisjoint(NOT_PLAIN):
            holder = by_id.get(annotation["image_id"])
            if holder is not None and annotation.get("bbox") is not None:
                holder.append((number, annotation))  # what nearly all of a million are
                continue
        words = fault(annotation, number, known, there, typed=typed)
        if words:
            notes.problem("odd label", path, words, loses="labels")
        elif annotation["image_id"] in by_id:
            by_id[annotation["image_id"]].append((number, annotation))
            shaped.add(annotation["image_id"])
    images = [
        (image, Entry(path, file.split, entry, by_id[number], {}, number not in shaped and "cadsight" not in entry))
        for entry, image in entries
        for number in (entry.get("id"),)
    ]
    extra = {k: v for k, v in data.items() if k not in FILE_KEYS}
    return _Contents(images, tuple(c["name"] for c in categories), extra, categories)


def _categories(entries: Any, path: Path, notes: Notes) -> list[Raw]:
    try:
        checked(entries, list[Category], "categories")
    except CadsightError as error:
        raise CadsightError(f"{path} has categories without id and name: {error}, expected both") from error
    nameless = next((c["id"] for c in entries if not c["name"].strip()), None)
    if nameless is not None:
        raise CadsightError(f"{path} has the category {nameless!r} with an empty name, expected the name of a class")
    ids = [c["id"] for c in entries]
    if len(set(ids)) != len(ids):
        raise CadsightError(f"{path} has two categories with the same id, expected each to have its own")
    by_name: dict[str, list[Any]] = {}
    for entry in entries:
        by_name.setdefault(entry["name"], []).append(entry["id"])
    for name, twice in by_name.items():
        if len(twice) > 1:
            numbers = " and ".join(map(str, twice))
            notes.remark(
                "class name twice", path, f"the categories {numbers} are both called {name!r}: they are one class"
            )
    return list(entries)


def _images(entries: Any, file: _File, notes: Notes) -> list[tuple[Raw, Path]]:
    """The entries that can be used, each with its file."""
    path = file.path
    found = []
    ids: dict[Any, str] = {}
    twice = set()
    for number, entry in enumerate(entries):
        try:
            msgspec.convert(entry, CocoImage)
        except msgspec.ValidationError as error:
            notes.problem("odd label", path, sentence(error, f"images[{number}]"), loses="images")
            continue
        name, number_ = entry["file_name"], entry.get("id")
        if not name:
            text = f"images[{number}].file_name is '', expected the image's name"
            notes.problem("odd label", path, text, loses="images")
            continue
        if number_ in ids:
            twice.add(number_)
            text = (
                f"the images {ids[number_]!r} and {name!r} have the same id {number_!r}, expected each to have its own"
            )
            notes.problem("image id twice", path, text, loses="images")
            continue
        ids[number_] = name
        try:
            image = file.locator.find(name)
        except CadsightError as error:
            notes.problem("missing image", path, str(error), loses="images")
            continue
        if image is None:
            notes.problem("missing image", path, f"the image {name!r} does not exist, expected a file", loses="images")
            continue
        found.append((entry, image))
    # It is not known whose labels they are.
    return [(entry, image) for entry, image in found if entry.get("id") not in twice]


def _split(path: Path, folder: Path) -> Split:
    """By the words of the file's name, else by the folder in the set that the file lies in."""
    words = re.split("[-_.]", path.stem)
    if path.parent != folder:
        words.append(path.parent.name)
    for word in words:
        split = split_of(word.rstrip("0123456789"))
        if split:
            return split
    return ""


def _image_folders(path: Path, split: Split) -> list[Path]:
    """Where the images may be, likeliest first."""
    roots = [path.parent, path.parent.parent] if path.parent.name.lower() == "annotations" else [path.parent]
    word = path.stem.rpartition("_")[2]
    names = [n for n in dict.fromkeys((word, split, "val" if split == "valid" else "")) if n]
    folders = []
    for root in roots:
        folders += [root / "images" / n for n in names] + [root / n for n in names] + [root / "images", root]
    return [p for p in folders if p.is_dir() or p.name == "images"]
