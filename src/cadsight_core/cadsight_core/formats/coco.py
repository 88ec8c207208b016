"""COCO's instances JSON: boxes, polygons, run-length codes, and whatever else it says, kept as it came.

What an annotation says beside box, class and score is kept in ``Instance.attributes``, what an image says beside
name and size in ``Sample.record["coco"]``, what the file says beside images and annotations in the ``extra`` that
:func:`read_coco` returns. Of an own sample the mask, normal, pose and record go into the key ``cadsight``.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.files import inside
from cadsight_core.formats.folders import sample_names, split_of, write_splits
from cadsight_core.formats.json_stream import Elements, Members, plain
from cadsight_core.formats.notes import Notes
from cadsight_core.images import image_size
from cadsight_core.sample import Instance, Sample, Split, decode_mask, encode_mask
from cadsight_core.shapes import area, bounds, given_polygons, instance_mask

_ANNOTATION_KEYS = ("image_id", "category_id", "bbox", "score", "cadsight")
_IMAGE_KEYS = ("file_name", "width", "height", "cadsight")
_FILE_KEYS = ("images", "annotations")

_Code = dict[str, Any]


def is_coco(data: Any) -> bool:
    """Whether parsed JSON looks like COCO's instances."""
    return isinstance(data, dict) and isinstance(data.get("images"), list) and "categories" in data


def find_files(folder: Path) -> list[Path]:
    """The JSON files of a folder that may be COCO's: there, in annotations/, or in the folder of each split."""
    places = [folder, folder / "annotations", *(p for p in sorted(folder.iterdir()) if split_of(p.name))]
    return [file for place in places if place.is_dir() for file in sorted(place.glob("*.json"))]


def read_coco(
    path: str | Path, images: str | Path | None = None, notes: Notes | None = None
) -> tuple[Sequence[Sample], tuple[str, ...], dict[str, Any]]:
    """Samples, classes (in the order of the categories) and the rest of one COCO file.

    The masks of own samples are decoded when a sample is taken out.
    ``images`` is the folder of the pictures; without it they are looked for beside the file, in images/, and in
    the folder of the file's split (``annotations/instances_val2017.json`` and ``val2017/``). The split comes from
    the file's or its folder's name.

    Raises:
        CadsightError: for JSON that does not parse or is not COCO's; and unless ``notes`` collects them, for the
            first annotation or picture that cannot be used.
    """
    notes = notes or Notes(strict=True)
    path = Path(path).resolve()
    data = read_json(path)
    if not is_coco(data):
        raise CadsightError(f"{path} is not COCO's JSON, expected the keys images, annotations and categories")
    categories = _categories(data["categories"], path)
    split = _split(path)
    places = [Path(images).resolve()] if images is not None else _image_folders(path, split)
    entries = [e for e in data["images"] if _is_image(e, path, notes)]
    found = [_find(e["file_name"], places) for e in entries]
    pictures = [(split, f or places[0] / e["file_name"]) for e, f in zip(entries, found, strict=True)]
    names = sample_names(pictures, places[0])
    annotations: dict[Any, list[tuple[int, dict[str, Any]]]] = {e.get("id"): [] for e in entries}
    for number, annotation in enumerate(data.get("annotations") or []):
        key = annotation.get("image_id") if isinstance(annotation, dict) else None
        if key not in annotations:
            notes.problem("odd label", path, f"annotation {number} is for the image {key!r}, expected a known id")
            continue
        annotations[key].append((number, annotation))
    samples: list[Sample] = []
    codes: list[list[_Code | None]] = []
    for entry, image, name in zip(entries, found, names, strict=True):
        sample = _sample(entry, image, name, split, path, notes)
        if sample is None:
            continue
        instances: list[Instance] = []
        coded: list[_Code | None] = []
        notes.label_file(name, path)
        for number, annotation in annotations[entry.get("id")]:
            try:
                instance, code = _instance(annotation, categories, sample.size)
            except CadsightError as error:
                notes.problem("odd label", path, f"annotation {annotation.get('id', number)!r}: {error}")
                continue
            notes.place(name, len(instances), path)
            instances.append(instance)
            coded.append(code)
        samples.append(replace(sample, instances=tuple(instances)))
        codes.append(coded)
    classes = tuple(str(c["name"]) for c in data["categories"])

    def decoded(number: int) -> Sample:
        pairs = zip(samples[number].instances, codes[number], strict=True)
        return replace(samples[number], instances=tuple(replace(i, mask=decode_mask(c)) if c else i for i, c in pairs))

    return DerivedSamples(decoded, range(len(samples))), classes, {k: v for k, v in data.items() if k not in _FILE_KEYS}


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


def read_json(path: Path) -> Any:
    """Parsed JSON.

    Raises:
        CadsightError: when the file is missing or its JSON is cut short or broken.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise CadsightError(f"{path} could not be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CadsightError(f"{path} is not JSON ({error}), expected a whole file") from error


def _categories(entries: Any, path: Path) -> dict[Any, int]:
    """Class index by category id."""
    if not isinstance(entries, list) or not all(isinstance(c, dict) and "id" in c and "name" in c for c in entries):
        raise CadsightError(f"{path} has categories without id and name, expected both")
    ids = [c["id"] for c in entries]
    if len(set(ids)) != len(ids):
        raise CadsightError(f"{path} has two categories with the same id, expected each to have its own")
    return {category: index for index, category in enumerate(ids)}


def _split(path: Path) -> Split:
    words = [*re.split("[-_.]", path.stem), path.parent.name]
    for word in words:
        split = split_of(word.rstrip("0123456789"))
        if split:
            return split
    return ""


def _image_folders(path: Path, split: Split) -> list[Path]:
    """Where the pictures may be, likeliest first."""
    roots = [path.parent, path.parent.parent] if path.parent.name == "annotations" else [path.parent]
    word = path.stem.rpartition("_")[2]
    names = [n for n in dict.fromkeys((word, split, "val" if split == "valid" else "")) if n]
    places = []
    for root in roots:
        places += [root / "images" / n for n in names] + [root / n for n in names] + [root / "images", root]
    return [p for p in places if p.is_dir()]


def _find(name: str, places: Sequence[Path]) -> Path | None:
    for place in places:
        image = inside(place, name)
        if image.is_file():
            return image
    return None


def _is_image(entry: Any, path: Path, notes: Notes) -> bool:
    name = entry.get("file_name") if isinstance(entry, dict) else None
    if isinstance(name, str) and name:
        return True
    notes.problem("odd label", path, f"an image has the file_name {name!r}, expected the picture's name")
    return False


def _sample(
    entry: dict[str, Any], image: Path | None, name: str, split: Split, path: Path, notes: Notes
) -> Sample | None:
    if image is None:
        notes.problem("missing picture", path, f"the picture {entry['file_name']!r} does not exist, expected a file")
        return None
    own = dict(entry.get("cadsight", {}))
    try:
        size = image_size(image)
    except CadsightError as error:
        if notes.strict:
            raise
        notes.problem("unreadable picture", image, str(error))
        return None
    told = (entry.get("width"), entry.get("height"))
    if told != (None, None) and told != (size.width, size.height):
        notes.problem(
            "wrong picture size",
            path,
            f"{entry['file_name']!r} is said to be {told[0]} x {told[1]} pixels, expected "
            f"{size.width} x {size.height} as in the picture",
        )
    record = dict(own.pop("record", {}))
    rest = {k: v for k, v in entry.items() if k not in _IMAGE_KEYS}
    if rest:
        record["coco"] = rest
    base = {"name": name, "image": "", "width": size.width, "height": size.height, "origin": "real", "split": split}
    sample = Sample.from_json({**base, **own, "instances": [], "record": record})
    return replace(sample, image=image)


def _instance(
    annotation: dict[str, Any], categories: Mapping[Any, int], size: ImageSize
) -> tuple[Instance, _Code | None]:
    """The instance without its mask, and the code of that."""
    category = annotation.get("category_id")
    if category not in categories:
        raise CadsightError(f"the category is {category!r}, expected one of the file's categories")
    attributes = {k: v for k, v in annotation.items() if k not in _ANNOTATION_KEYS}
    _check_segmentation(attributes.get("segmentation"))
    box = _box(annotation.get("bbox"), attributes, categories[category], size)
    own = dict(annotation.get("cadsight", {}))
    data = {"source": "human", **own, "class_id": categories[category], "box": box.as_tuple(), "attributes": attributes}
    if isinstance(annotation.get("score"), int | float):
        data["score"] = annotation["score"]
    code = data.pop("mask", None)
    if code:
        # Files of older versions have the code a second time.
        segmentation = attributes.pop("segmentation", None)
        code = segmentation if code is True else code
        if not isinstance(code, dict):
            raise CadsightError("its mask has no run-length code, expected one as its segmentation")
        code = {**code, "counts": np.asarray(code.get("counts", ()), np.int32)}
        decode_mask(code)
    return Instance.from_json(data), code


def _box(bbox: Any, attributes: dict[str, Any], class_id: int, size: ImageSize) -> Box:
    if bbox is None:
        probe = Instance(class_id, Box(0.0, 0.0, 0.0, 0.0), attributes=attributes)
        polygons, mask = given_polygons(probe), instance_mask(probe, size)
        box = bounds(polygons) if polygons else Box.from_mask(mask) if mask is not None else None
        if box is None:
            raise CadsightError("it has no bbox and no segmentation, expected one of them")
        return box
    numbers = isinstance(bbox, list) and all(isinstance(v, int | float) and math.isfinite(v) for v in bbox)
    if not numbers or len(bbox) != 4 or bbox[2] < 0 or bbox[3] < 0:
        raise CadsightError(f"the bbox is {bbox!r}, expected [x, y, width, height] in pixels")
    x, y, width, height = map(float, bbox)
    return Box(x, y, x + width, y + height)


def _check_segmentation(segmentation: Any) -> None:
    if segmentation is None or isinstance(segmentation, dict):
        return
    if not isinstance(segmentation, list) or not all(
        isinstance(p, list) and len(p) >= 6 and len(p) % 2 == 0 and all(isinstance(v, int | float) for v in p)
        for p in segmentation
    ):
        raise CadsightError("the segmentation is no list of polygons [x0, y0, ...] with three corners or more")


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
