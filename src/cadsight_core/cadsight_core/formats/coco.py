"""COCO's instances JSON: boxes, polygons, run-length codes, key points, and whatever else it says, kept as it came.

What an annotation says beside box, class and score is kept in ``Instance.attributes``, what an image says beside
name and size in ``Sample.record["coco"]``, what the file says beside images and annotations in the ``extra`` that
:func:`read_coco` returns. Of an own sample the mask, normal, pose and record go into the key ``cadsight``.

A picture that several files list, as ``instances_*`` and ``person_keypoints_*`` do, is one picture with the labels of
both.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.formats.finding import Claim, Loaded
from cadsight_core.formats.folders import sample_names, split_of, write_splits
from cadsight_core.formats.json_files import checked, head_of, json_bytes, parse_json, sentence, without_collection
from cadsight_core.formats.json_stream import Elements, Members, plain
from cadsight_core.formats.locating import Locator
from cadsight_core.formats.notes import Notes
from cadsight_core.formats.tree import Tree
from cadsight_core.images import image_size
from cadsight_core.sample import Instance, Sample, Split, decode_mask, encode_mask
from cadsight_core.shapes import area, bounds, given_polygons, instance_mask, run_lengths

_ANNOTATION_KEYS = ("image_id", "category_id", "bbox", "score", "cadsight")
_IMAGE_KEYS = ("file_name", "width", "height", "cadsight")
_FILE_KEYS = ("images", "annotations")

_Code = dict[str, Any]
_Id = int | float | str
_Raw = dict[str, Any]


class _Head(msgspec.Struct):
    """What COCO's instances are told by, and not looked into further."""

    images: list[msgspec.Raw]
    categories: msgspec.Raw
    annotations: msgspec.Raw = msgspec.Raw(b"[]")


class _Caption(msgspec.Struct):
    caption: str


class _Captions(msgspec.Struct):
    """COCO's captions, which have no labels."""

    images: list[msgspec.Raw]
    annotations: list[_Caption]


class _Name(msgspec.Struct):
    file_name: str


class _Names(msgspec.Struct):
    """The same with the names of the pictures, which nearly all files have."""

    images: list[_Name]
    categories: msgspec.Raw
    annotations: msgspec.Raw = msgspec.Raw(b"[]")


class _Image(msgspec.Struct):
    file_name: str
    id: _Id | None = None
    width: int | float | None = None
    height: int | float | None = None
    cadsight: dict[str, Any] | None = None


class _Annotation(msgspec.Struct):
    """Of boxes and shapes the numbers are looked at one by one."""

    image_id: _Id
    category_id: _Id
    bbox: list[Any] | None = None
    segmentation: list[Any] | dict[str, Any] | None = None
    keypoints: list[float] | None = None
    iscrowd: bool | int | float = 0
    area: float | None = None
    score: float | None = None
    cadsight: dict[str, Any] | None = None


class _Category(msgspec.Struct):
    id: _Id
    name: str


@dataclass(frozen=True)
class _File:
    """A file whose pictures were found."""

    path: Path
    split: Split
    locator: Locator


@dataclass(frozen=True)
class _Entry:
    """A picture as one file lists it, with its annotations and their classes."""

    file: Path
    split: Split
    told: _Raw
    annotations: list[tuple[int, _Raw]]
    classes: Mapping[Any, int]


@dataclass(frozen=True)
class _Contents:
    """What one file holds that can be used."""

    entries: list[tuple[Path, _Entry]]
    classes: tuple[str, ...]
    extra: _Raw
    categories: list[_Raw] = field(default_factory=list)


def is_coco(data: Any) -> bool:
    """Whether parsed JSON looks like COCO's instances."""
    return isinstance(data, dict) and isinstance(data.get("images"), list) and "categories" in data


def claim_coco(tree: Tree, pictures: Tree | None = None, only: Path | None = None) -> Claim | None:
    """The claim on the COCO files in ``tree``, or on the file ``only``; None where there is none.

    Args:
        pictures: where the pictures lie, when not in ``tree``.
    """
    files, captions = [], []
    for path in [only] if only is not None else tree.ending(".json"):
        data = json_bytes(path)
        names = head_of(data, _Names)
        if names is not None or head_of(data, _Head) is not None:
            files.append((path, names))
        elif head_of(data, _Captions) is not None:
            captions.append(path)
    if not files:
        return None
    opened = [_opened(path, tree, pictures) for path, _ in files]
    images = dict.fromkeys(
        image
        for file, (_, names) in zip(opened, files, strict=True)
        for entry in (names.images if names else ())
        if (image := _found(file.locator, entry.file_name)) is not None
    )
    paths = [path for path, _ in files]
    why = f"images and categories in {paths[0].name}" + (f" and {len(paths) - 1} more files" if paths[1:] else "")
    return Claim("coco", why, (*paths, *captions), tuple(images), lambda notes: _loaded(opened, tree.folder, notes))


def read_coco(
    path: str | Path, images: str | Path | None = None, notes: Notes | None = None
) -> tuple[Sequence[Sample], tuple[str, ...], dict[str, Any]]:
    """Samples, classes (in the order of the categories) and the rest of one COCO file.

    The masks of own samples are decoded when a sample is taken out, and where the file tells a picture's size, it is
    then compared with the picture.
    ``images`` is the folder of the pictures; without it they are looked for beside the file, in images/, and in
    the folder of the file's split (``annotations/instances_val2017.json`` and ``val2017/``). The split comes from
    the file's name, or that of a folder in the set.

    Raises:
        CadsightError: for JSON that does not parse or is not COCO's; and unless ``notes`` collects them, for the
            first annotation or picture that cannot be used.
    """
    path = Path(path).resolve()
    tree = Tree.of(home_of(path))
    pictures = Tree.of(Path(images).resolve()) if images is not None else None
    if not is_coco(parse_json(json_bytes(path), path)):
        raise CadsightError(f"{path} is not COCO's JSON, expected the keys images, annotations and categories")
    loaded = _loaded([_opened(path, tree, pictures)], tree.folder, notes or Notes(strict=True))
    return loaded.samples, loaded.classes, loaded.extra


def home_of(file: Path) -> Path:
    """The folder of the set whose label file is ``file``: the one that holds annotations/, else the file's own."""
    return file.parent.parent if file.parent.name.lower() == "annotations" else file.parent


def _opened(path: Path, tree: Tree, pictures: Tree | None) -> _File:
    split = _split(path, tree.folder)
    bases = [pictures.folder] if pictures is not None else _image_folders(path, split)
    return _File(path, split, Locator((pictures or tree).index, bases, lost=pictures is not None))


def _found(locator: Locator, name: str) -> Path | None:
    try:
        return locator.find(name)
    except CadsightError:
        return None


def _loaded(files: Sequence[_File], folder: Path, notes: Notes) -> Loaded:
    with without_collection():
        contents = [_contents(file, notes) for file in files]
    classes = tuple(dict.fromkeys(name for content in contents for name in content.classes))
    groups: dict[Path, list[_Entry]] = {}
    for content in contents:
        ids = [classes.index(name) for name in content.classes]
        known = {c["id"]: ids[n] for n, c in enumerate(content.categories)}
        for image, entry in content.entries:
            groups.setdefault(image, []).append(replace(entry, classes=known))
    _tell_shared(groups, notes)
    pictures = [(entries[0].split, image) for image, entries in groups.items()]
    samples = _Samples(pictures, sample_names(pictures, folder), list(groups.values()), notes)
    categories = _merged_categories(contents, classes, notes)
    extra = {**(contents[0].extra if contents else {}), "categories": categories}
    return Loaded(DerivedSamples(samples.make, samples.usable), classes, "coco", extra)


def _merged_categories(contents: Sequence[_Contents], classes: Sequence[str], notes: Notes) -> list[_Raw]:
    """The categories of all files, one for each class."""
    if len(contents) == 1 and len(contents[0].categories) == len(classes):
        return contents[0].categories
    merged: dict[str, _Raw] = {}
    for content in contents:
        for category in content.categories:
            merged[category["name"]] = {**category, **merged.get(category["name"], {})}
    if len({c["id"] for c in merged.values()}) < len(merged):  # each file has ids of its own
        merged = {name: {**c, "id": n + 1} for n, (name, c) in enumerate(merged.items())}
    return list(merged.values())


def _tell_shared(groups: Mapping[Path, Sequence[_Entry]], notes: Notes) -> None:
    shared = [(image, entries) for image, entries in groups.items() if len(entries) > 1]
    leaks = [(image, e) for image, e in shared if len({entry.split for entry in e}) > 1]
    if leaks:
        image, entries = leaks[0]
        other = next(e for e in entries if e.split != entries[0].split)
        text = (
            f"{len(leaks)} pictures stand in two splits, the first is {image}: {entries[0].split or 'none'} in "
            f"{entries[0].file} and {other.split or 'none'} in {other.file}, expected each once"
        )
        notes.problem("picture in two splits", image, text)
    elif shared:
        image, entries = shared[0]
        where = f"{entries[0].file} and {entries[1].file}"
        told = f"{len(shared)} pictures are listed twice, the first in {where}"
        text = f"{told}: each is one picture with the labels of both"
        notes.remark("picture listed twice", image, text)


def _contents(file: _File, notes: Notes) -> _Contents:
    path = file.path
    data = parse_json(json_bytes(path), path)
    if not is_coco(data):
        raise CadsightError(f"{path} is not COCO's JSON, expected the keys images, annotations and categories")
    categories = _categories(data["categories"], path, notes)
    known = {c["id"] for c in categories}
    entries = _images(data["images"], file, notes)
    by_id: dict[Any, list[tuple[int, _Raw]]] = {}
    for told, _ in entries:
        by_id[told.get("id")] = []
    there = {told["id"] for told in data["images"] if isinstance(told, dict) and _is_id(told.get("id"))}
    annotations = data.get("annotations") or []
    if not isinstance(annotations, list):
        raise CadsightError(f"{path}: annotations is {type(annotations).__name__}, expected a list")
    if "annotations" not in data:
        notes.remark("no labels", path, "it lists pictures and has no annotations: they count as showing nothing")
    typed = _is_typed(annotations)
    for number, annotation in enumerate(annotations):
        if typed and annotation["category_id"] in known and not _SHAPES & annotation.keys():
            holder, bbox = by_id.get(annotation["image_id"]), annotation.get("bbox")
            if holder is not None and bbox is not None and _is_box(bbox):
                holder.append((number, annotation))  # what nearly all of a million are
                continue
        fault = _fault(annotation, number, known, there, typed=typed)
        if fault:
            notes.problem("odd label", path, fault, loses="labels")
        elif annotation["image_id"] in by_id:
            by_id[annotation["image_id"]].append((number, annotation))
    told_images = [(image, _Entry(path, file.split, told, by_id[told.get("id")], {})) for told, image in entries]
    extra = {k: v for k, v in data.items() if k not in _FILE_KEYS}
    return _Contents(told_images, tuple(c["name"] for c in categories), extra, categories)


def _is_id(value: Any) -> bool:
    return isinstance(value, int | float | str)


def _is_typed(annotations: Any) -> bool:
    """Whether all annotations are as described, which is found in one step that is much faster than one by one."""
    try:
        msgspec.convert(annotations, list[_Annotation])
    except msgspec.ValidationError:
        return False
    return True


def _fault(annotation: Any, number: int, categories: set[Any], images: set[Any], *, typed: bool) -> str:
    """What is wrong with an annotation, in words, '' where nothing is."""
    if not typed:
        try:
            msgspec.convert(annotation, _Annotation)
        except msgspec.ValidationError as error:
            return sentence(error, f"annotations[{number}]")
    if annotation["image_id"] not in images:
        return f"annotation {number} is for the image {annotation['image_id']!r}, expected a known id"
    words = ""
    if annotation["category_id"] not in categories:
        words = f"the category is {annotation['category_id']!r}, expected one of the file's categories"
    bbox, segmentation = annotation.get("bbox"), annotation.get("segmentation")
    if not words and segmentation:
        words = _segmentation_fault(segmentation)
    if not words and bbox is not None and not _is_box(bbox):
        words = f"the bbox is {bbox!r}, expected [x, y, width, height] in pixels"
    if not words and bbox is None and not segmentation:
        words = "it has no bbox and no segmentation, expected one of them"
    keypoints = annotation.get("keypoints")
    if not words and keypoints and len(keypoints) % 3:
        words = f"it has {len(keypoints)} numbers of key points, expected x, y and visibility of each"
    if not words and keypoints and not {0, 1, 2}.issuperset(keypoints[2::3]):
        words = "a key point's visibility is none of 0 (not labelled), 1 (hidden) and 2 (seen)"
    return f"annotation {annotation.get('id', number)!r}: {words}" if words else ""


_NUMBERS = frozenset({int, float})
_SHAPES = frozenset({"segmentation", "keypoints"})


def _is_box(bbox: Sequence[Any]) -> bool:
    return len(bbox) == 4 and _NUMBERS.issuperset(map(type, bbox)) and bbox[2] >= 0 and bbox[3] >= 0


def _segmentation_fault(segmentation: Any) -> str:
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if not isinstance(size, list) or len(size) != 2 or not isinstance(counts, list | str):
            return f"a run-length code has the keys {sorted(segmentation)}, expected size [height, width] and counts"
        return ""
    for polygon in segmentation:
        if (
            not isinstance(polygon, list)
            or len(polygon) < 6
            or len(polygon) % 2
            or not all(type(v) in _NUMBERS for v in polygon)
        ):
            return "the segmentation is no list of polygons [x0, y0, ...] with three corners or more"
    return ""


def _categories(entries: Any, path: Path, notes: Notes) -> list[_Raw]:
    try:
        checked(entries, list[_Category], "categories")
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
            told = " and ".join(map(str, twice))
            notes.remark(
                "class name twice", path, f"the categories {told} are both called {name!r}: they are one class"
            )
    return list(entries)


def _images(entries: Any, file: _File, notes: Notes) -> list[tuple[_Raw, Path]]:
    """The images that can be used, each with its picture."""
    path = file.path
    found = []
    ids: dict[Any, str] = {}
    twice = set()
    for number, entry in enumerate(entries):
        try:
            msgspec.convert(entry, _Image)
        except msgspec.ValidationError as error:
            notes.problem("odd label", path, sentence(error, f"images[{number}]"), loses="images")
            continue
        name, number_ = entry["file_name"], entry.get("id")
        if not name:
            text = f"images[{number}].file_name is '', expected the picture's name"
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
            notes.problem("missing picture", path, str(error), loses="images")
            continue
        if image is None:
            notes.problem(
                "missing picture", path, f"the picture {name!r} does not exist, expected a file", loses="images"
            )
            continue
        found.append((entry, image))
    # Whose labels they are cannot be told.
    return [(entry, image) for entry, image in found if entry.get("id") not in twice]


class _Samples:
    """Samples made one by one of what the files said.

    A reader that refuses the first fault looks at a picture's header when its sample is taken out; one that collects
    faults looks at all of them at once, so that it knows which pictures can be used.
    """

    def __init__(
        self,
        pictures: Sequence[tuple[Split, Path]],
        names: Sequence[str],
        groups: Sequence[Sequence[_Entry]],
        notes: Notes,
    ) -> None:
        self._pictures, self._names, self._groups, self._notes = pictures, names, groups, notes
        self._sizes: dict[int, ImageSize] = {}
        self._told: set[int] = set()
        self.usable = [n for n in range(len(pictures)) if self._is_usable(n)]

    def _is_usable(self, number: int) -> bool:
        self._notes.label_file(self._names[number], self._groups[number][0].file)
        if self._notes.strict:
            return True
        try:
            self._size(number)
        except CadsightError as error:
            self._notes.problem("unreadable picture", self._pictures[number][1], str(error), loses="images")
            return False
        return True

    def _size(self, number: int) -> ImageSize:
        if number not in self._sizes:
            size = image_size(self._pictures[number][1])
            for entry in self._groups[number]:
                told = (entry.told.get("width"), entry.told.get("height"))
                if None not in told and told != (size.width, size.height):
                    self._notes.problem(
                        "wrong picture size",
                        entry.file,
                        f"{entry.told['file_name']!r} is said to be {told[0]} x {told[1]} pixels, expected "
                        f"{size.width} x {size.height} as in the picture",
                    )
            self._sizes[number] = size
        return self._sizes[number]

    def make(self, number: int) -> Sample:
        size, entries = self._size(number), self._groups[number]
        split, image = self._pictures[number]
        sample = _sample(entries[0].told, image, self._names[number], split, size)
        instances = []
        first_time = number not in self._told
        self._told.add(number)
        for file, told, annotation, class_id in _together(entries):
            try:
                instances.append(_instance(annotation, class_id, size))
            except CadsightError as error:
                if first_time:
                    text = f"annotation {annotation.get('id', told)!r}: {error}"
                    self._notes.problem("odd label", file, text, loses="labels")
        return replace(sample, instances=tuple(instances))


def _together(entries: Sequence[_Entry]) -> Iterable[tuple[Path, int, _Raw, int]]:
    """File, number, annotation and class of each object; what several entries say of one is one annotation."""
    if len(entries) == 1:
        entry = entries[0]
        return [(entry.file, n, a, entry.classes[a["category_id"]]) for n, a in entry.annotations]
    objects: dict[Any, tuple[Path, int, _Raw, int]] = {}
    for place, entry in enumerate(entries):
        for number, annotation in entry.annotations:
            class_id = entry.classes[annotation["category_id"]]
            key: Any = (class_id, tuple(annotation.get("bbox") or ()))
            if key in objects and objects[key][0] != entry.file and key[1]:
                first = objects[key]
                objects[key] = (first[0], first[1], {**annotation, **first[2]}, class_id)
            elif key in objects:
                objects[place, number] = (entry.file, number, annotation, class_id)
            else:
                objects[key] = (entry.file, number, annotation, class_id)
    return list(objects.values())


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
    """Where the pictures may be, likeliest first."""
    roots = [path.parent, path.parent.parent] if path.parent.name.lower() == "annotations" else [path.parent]
    word = path.stem.rpartition("_")[2]
    names = [n for n in dict.fromkeys((word, split, "val" if split == "valid" else "")) if n]
    places = []
    for root in roots:
        places += [root / "images" / n for n in names] + [root / n for n in names] + [root / "images", root]
    return [p for p in places if p.is_dir() or p.name == "images"]


def _sample(entry: _Raw, image: Path, name: str, split: Split, size: ImageSize) -> Sample:
    own = dict(entry.get("cadsight") or {})
    record = dict(own.pop("record", {}))
    rest = {k: v for k, v in entry.items() if k not in _IMAGE_KEYS}
    if rest:
        record["coco"] = rest
    base = {"name": name, "image": "", "width": size.width, "height": size.height, "origin": "real", "split": split}
    sample = Sample.from_json({**base, **own, "instances": [], "record": record})
    return replace(sample, image=image)


def _instance(annotation: _Raw, class_id: int, size: ImageSize) -> Instance:
    attributes = {k: v for k, v in annotation.items() if k not in _ANNOTATION_KEYS}
    segmentation = attributes.get("segmentation")
    own = dict(annotation.get("cadsight") or {})
    code = own.pop("mask", None)
    mask = None
    if code:
        # Files of older versions have the code a second time.
        segmentation = attributes.pop("segmentation", None)
        code = segmentation if code is True else code
        if not isinstance(code, dict):
            raise CadsightError("its mask has no run-length code, expected one as its segmentation")
        mask = decode_mask({**code, "counts": np.asarray(code.get("counts", ()), np.int32)})
    elif isinstance(segmentation, dict):
        _check_code(segmentation, size)
    box = _box(annotation.get("bbox"), attributes, class_id, size)
    if not own:
        return Instance(class_id, box, mask=mask, score=annotation.get("score"), attributes=attributes)
    data = {"source": "human", **own, "class_id": class_id, "box": box.as_tuple(), "attributes": attributes}
    if annotation.get("score") is not None:
        data["score"] = annotation["score"]
    return replace(Instance.from_json(data), mask=mask)


def _check_code(code: _Raw, size: ImageSize) -> None:
    """Raises where a run-length code cannot be decoded or is of another picture; its mask is made later."""
    counts = run_lengths(code)["counts"]
    height, width = code["size"]
    if (height, width) != (size.height, size.width):
        raise CadsightError(
            f"its run-length code is of a picture of {width} x {height} pixels, expected {size.width} x {size.height}"
        )
    if sum(counts) != width * height or min(counts, default=0) < 0:
        raise CadsightError(f"its runs add up to {sum(counts)} pixels, expected {width} x {height}")


def _box(bbox: Any, attributes: _Raw, class_id: int, size: ImageSize) -> Box:
    if bbox is None:
        probe = Instance(class_id, Box(0.0, 0.0, 0.0, 0.0), attributes=attributes)
        polygons, mask = given_polygons(probe), instance_mask(probe, size)
        box = bounds(polygons) if polygons else Box.from_mask(mask) if mask is not None else None
        if box is None:
            raise CadsightError("it has no bbox and no segmentation, expected one of them")
        return box
    x, y, width, height = map(float, bbox)
    return Box(x, y, x + width, y + height)


def to_coco(
    samples: Sequence[Sample],
    classes: Sequence[str],
    extra: Mapping[str, Any] | None = None,
    *,
    square: bool = False,
) -> dict[str, Any]:
    """COCO's JSON of samples; ids of images, annotations and categories are kept where they have one each."""
    found: dict[str, Any] = plain(_coco(samples, classes, extra, square))
    return found


def write_coco(
    samples: Iterable[Sample],
    classes: Sequence[str],
    folder: str | Path,
    extra: Mapping[str, Any] | None = None,
    *,
    square: bool = False,
) -> list[Path]:
    """Write annotations/instances_SPLIT.json and images/SPLIT/ (``all`` for no split); returns the JSON files.

    Raises:
        CadsightError: as :func:`cadsight_core.formats.folders.write_splits`.
    """

    def layout(split: str) -> tuple[Path, Path]:
        name = split or "all"
        return Path("images") / name, Path("annotations") / f"instances_{name}.json"

    return write_splits(samples, folder, layout, lambda group: _coco(group, classes, extra, square))


def _coco(samples: Sequence[Sample], classes: Sequence[str], extra: Mapping[str, Any] | None, square: bool) -> Members:
    header = {k: v for k, v in (extra or {}).items() if k not in _FILE_KEYS}
    categories = header.pop("categories", None)
    if not categories or [c.get("name") for c in categories] != list(classes):
        categories = [{"id": i + 1, "name": name} for i, name in enumerate(classes)]
    wanted = [(s.record.get("coco", {}).get("id"), [i.attributes.get("id") for i in s.instances]) for s in samples]
    image_ids = _ids([image for image, _ in wanted])
    annotation_ids = iter(_ids([number for _, numbers in wanted for number in numbers]))
    images = (_image_entry(s, i) for s, i in zip(samples, image_ids, strict=True))
    annotations = (
        _annotation(instance, sample.size, next(annotation_ids), image, categories, square)
        for sample, image in zip(samples, image_ids, strict=True)
        for instance in sample.instances
    )
    parts = {"images": Elements(images), "annotations": Elements(annotations), "categories": categories}
    return Members([*header.items(), *parts.items()])


def _image_entry(sample: Sample, number: int) -> dict[str, Any]:
    record = {k: v for k, v in sample.record.items() if k != "coco"}
    said = replace(sample, instances=()).to_json()
    own = {k: v for k, v in said.items() if k in ("camera", "origin") and v != "real"}
    if record:
        own["record"] = record
    return {
        **sample.record.get("coco", {}),
        "id": number,
        "file_name": sample.name + sample.image.suffix.lower(),
        "width": sample.size.width,
        "height": sample.size.height,
        **({"cadsight": own} if own else {}),
    }


def _annotation(
    instance: Instance,
    size: ImageSize,
    number: int,
    image: int,
    categories: Sequence[Mapping[str, Any]],
    square: bool,
) -> dict[str, Any]:
    box = instance.box.squared(size) if square else instance.box
    said = replace(instance, mask=None).to_json()
    own = {k: v for k, v in said.items() if k in ("camera_from_part", "normal", "point")}
    if instance.source != "human":
        own["source"] = instance.source
    annotation: dict[str, Any] = {"iscrowd": 0, **instance.attributes}
    annotation.update(
        id=number,
        image_id=image,
        category_id=categories[instance.class_id]["id"],
        bbox=[box.x0, box.y0, box.width, box.height],
    )
    if instance.mask is not None:
        annotation["segmentation"] = encode_mask(instance.mask)
        own["mask"] = True
    annotation.setdefault("area", _area(instance, box))
    if instance.score is not None:
        annotation["score"] = instance.score
    if own:
        annotation["cadsight"] = own
    return annotation


def _area(instance: Instance, box: Box) -> float:
    if instance.mask is not None:
        return float(instance.mask.sum())
    polygons = given_polygons(instance)
    return sum(area(p) for p in polygons) if polygons else box.area


def _ids(wanted: Sequence[Any]) -> list[int]:
    """The wanted ids where each is there once, else new ones from 1."""
    if all(isinstance(w, int) for w in wanted) and len(set(wanted)) == len(wanted):
        return list(wanted)
    return list(range(1, len(wanted) + 1))
