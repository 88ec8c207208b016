"""What key points are called, and which are exchanged in a mirror: the left eye of a mirrored face is its right one.

Kept with the categories in the ``extra`` of a set, as COCO does: ``keypoints`` are the names of a class's points;
``flip_idx``, YOLO's word, names for each point the one that is there in the mirrored image.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError

Order = tuple[int, ...]
Category = dict[str, Any]

_SIDES = {"left": "right", "right": "left", "l": "r", "r": "l"}
# A side as a word, or as a letter that stands alone: left_eye, leftEye, eye-l.
_SIDE = re.compile(r"left|right|(?<![a-z])[lr](?![a-z])")


def mirror_orders(extra: Mapping[str, Any], classes: Sequence[str]) -> dict[int, Order]:
    """For each class whose key points are exchanged in a mirror, by its id: which point is where each was.

    Args:
        extra: of a set (see :class:`.finding.Loaded`); its ``flip_idx`` counts before the names.
    """
    orders = {}
    for number, category in enumerate(_of_classes(extra, classes)):
        names, given = category.get("keypoints"), category.get("flip_idx")
        if isinstance(given, list) and _is_order(given):
            orders[number] = tuple(given)
        elif isinstance(names, list) and all(isinstance(n, str) for n in names):
            orders[number] = order_of_names(names)
    return {number: order for number, order in orders.items() if order != tuple(range(len(order)))}


def order_of_names(names: Sequence[str]) -> Order:
    """The indices of the names of the other side, such as right_eye for left_eye; of others their own."""
    keys = [name.casefold() for name in names]
    indices = {key: index for index, key in enumerate(keys)}
    order = []
    for index, key in enumerate(keys):
        other = indices.get(_SIDE.sub(lambda found: _SIDES[found[0]], key), index)
        order.append(other if len(indices) == len(keys) else index)
    return tuple(order)


def mirrored(keypoints: Sequence[float], order: Order) -> list[float]:
    """COCO's key points (x, y and visibility of each) with those of the two sides exchanged.

    Raises:
        CadsightError: for another number of points than the order has.
    """
    if len(keypoints) != 3 * len(order):
        raise CadsightError(f"a label has {len(keypoints) // 3} key points, expected {len(order)} as its class names")
    return [value for index in order for value in keypoints[3 * index : 3 * index + 3]]


def from_yolo(data: Mapping[Any, Any], count: int, classes: Sequence[str], path: Path) -> list[Category]:
    """The categories that ``flip_idx`` and ``kpt_names`` of the data.yaml ``path`` describe; none where it has neither.

    Args:
        count: key points of a label.

    Raises:
        CadsightError: for a ``flip_idx`` that is no order of so many points, or names of another number.
    """
    order, names = data.get("flip_idx"), data.get("kpt_names")
    if order is not None and not (_is_order(order) and len(order) == count):
        raise CadsightError(f"{path} has the flip_idx {order!r}, expected each of 0 to {count - 1} once")
    if names is not None and not isinstance(names, dict | list):
        raise CadsightError(f"{path} has the kpt_names {names!r}, expected a list of names for each class")
    if order is None and names is None:
        return []
    categories = []
    for number, name in enumerate(classes):
        category: Category = {"id": number + 1, "name": name}
        point_names = names.get(number, names.get(str(number))) if isinstance(names, dict) else names
        if point_names is not None:
            if not isinstance(point_names, list) or len(point_names) != count:
                raise CadsightError(f"{path} has the kpt_names {point_names!r} of {name!r}, expected {count} names")
            category["keypoints"] = [str(point) for point in point_names]
        if order is not None:
            category["flip_idx"] = list(order)
        categories.append(category)
    return categories


def for_yolo(extra: Mapping[str, Any], classes: Sequence[str], count: int) -> dict[str, Any]:
    """Entries of data.yaml for ``count`` key points: ``flip_idx`` if all classes have the same one, ``kpt_names``."""
    categories = _of_classes(extra, classes)
    point_names = {
        number: category["keypoints"]
        for number, category in enumerate(categories)
        if isinstance(category.get("keypoints"), list) and len(category["keypoints"]) == count
    }
    known = [n in point_names or len(category.get("flip_idx") or ()) == count for n, category in enumerate(categories)]
    orders = mirror_orders(extra, classes)
    found = {orders.get(number, tuple(range(count))) for number in range(len(classes)) if known[number]}
    data: dict[str, Any] = {}
    if len(found) == 1 and any(known):
        data["flip_idx"] = list(found.pop())
    if point_names:
        data["kpt_names"] = point_names
    return data


def _of_classes(extra: Mapping[str, Any], classes: Sequence[str]) -> list[Category]:
    """The category of each class, empty where it has none."""
    categories = extra.get("categories")
    by_name = {c.get("name"): c for c in categories if isinstance(c, dict)} if isinstance(categories, list) else {}
    return [by_name.get(name, {}) for name in classes]


def _is_order(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(type(index) is int for index in value)
        and sorted(value) == list(range(len(value)))
    )
