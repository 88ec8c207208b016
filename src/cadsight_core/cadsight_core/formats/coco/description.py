"""COCO's instances JSON as it is described: the types of its parts, and what is wrong with an annotation."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from cadsight_core.formats.files.json_files import sentence
from cadsight_core.sample import FARTHEST

FILE_KEYS = ("images", "annotations")
# Entries of an annotation beside its box that have to be checked.
NOT_PLAIN = frozenset({"segmentation", "keypoints", "cadsight"})

Id = int | float | str
Raw = dict[str, Any]


class Head(msgspec.Struct):
    """The keys that COCO's instances are recognised by, not checked further."""

    images: list[msgspec.Raw]
    categories: msgspec.Raw
    annotations: msgspec.Raw = msgspec.Raw(b"[]")


class Caption(msgspec.Struct):
    caption: str


class Captions(msgspec.Struct):
    """COCO's captions, which have no labels."""

    images: list[msgspec.Raw]
    annotations: list[Caption]


class Name(msgspec.Struct):
    file_name: str


class Names(msgspec.Struct):
    """The same with the names of the images, which nearly all files have."""

    images: list[Name]
    categories: msgspec.Raw
    annotations: msgspec.Raw = msgspec.Raw(b"[]")


class CocoImage(msgspec.Struct):
    file_name: str
    id: Id | None = None
    width: int | float | None = None
    height: int | float | None = None
    cadsight: dict[str, Any] | None = None


class Annotation(msgspec.Struct):
    """The numbers of boxes and shapes are checked one by one."""

    image_id: Id
    category_id: Id
    bbox: list[Any] | None = None
    segmentation: list[Any] | dict[str, Any] | None = None
    keypoints: list[float] | None = None
    iscrowd: bool | int | float = 0
    area: float | None = None
    score: float | None = None
    cadsight: dict[str, Any] | None = None


_Side = Annotated[float, msgspec.Meta(ge=0)]


class Boxed(Annotation):
    """The same where all boxes are such."""

    bbox: tuple[float, float, _Side, _Side] | None = None  # type: ignore[assignment]


class Category(msgspec.Struct):
    id: Id
    name: str


def is_coco(data: Any) -> bool:
    """Whether parsed JSON looks like COCO's instances."""
    return isinstance(data, dict) and isinstance(data.get("images"), list) and "categories" in data


def is_id(value: Any) -> bool:
    return isinstance(value, int | float | str)


def is_typed(annotations: Any, kind: type[Annotation]) -> bool:
    """Whether all annotations are as described, which is found in one step that is much faster than one by one."""
    try:
        msgspec.convert(annotations, list[kind])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        return False
    return True


def fault(annotation: Any, number: int, categories: set[Any], images: set[Any], *, typed: bool) -> str:
    """What is wrong with an annotation, in words, '' where nothing is."""
    if not typed:
        try:
            msgspec.convert(annotation, Annotation)
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


def _is_box(bbox: Sequence[Any]) -> bool:
    """Whether it is x, y, width and height of a box in numbers."""
    return len(bbox) == 4 and _are_numbers(bbox) and bbox[2] >= 0 and bbox[3] >= 0


def _are_numbers(values: Sequence[Any]) -> bool:
    return _NUMBERS.issuperset(map(type, values)) and max(values) < FARTHEST and min(values) > -FARTHEST


def _segmentation_fault(segmentation: Any) -> str:
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if not isinstance(size, list) or len(size) != 2 or not isinstance(counts, list | str):
            return f"a run-length code has the keys {sorted(segmentation)}, expected size [height, width] and counts"
        return ""
    for polygon in segmentation:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2 or not _are_numbers(polygon):
            return "the segmentation is no list of polygons [x0, y0, ...] with three corners or more"
    return ""
