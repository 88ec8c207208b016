"""Label Studio's rectangles: what they say, and how ours are said."""

from collections.abc import Sequence
from typing import Any

from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_files import checked
from cadsight_core.formats.label_studio.description import Region, Value
from cadsight_core.formats.labelling.answers import Drawn
from cadsight_core.formats.labelling.tasks import Guess
from cadsight_core.sample import Source

# The names of the control tags in the configuration that goes with an export.
FROM_NAME, TO_NAME = "label", "image"
_SOURCES: dict[str | None, Source] = {
    "manual": "human-drawn",
    "prediction": "model-accepted",
    "prediction-changed": "human-edited",
}


def region_of(guess: Guess, name: str, size: ImageSize) -> dict[str, Any]:
    """A guess of the class ``name`` as a region of a prediction."""
    box = guess.instance.box
    region: dict[str, Any] = {
        "id": guess.id,
        "from_name": FROM_NAME,
        "to_name": TO_NAME,
        "type": "rectanglelabels",
        "original_width": size.width,
        "original_height": size.height,
        "image_rotation": 0,
        "value": {
            "x": box.x0 / size.width * 100,
            "y": box.y0 / size.height * 100,
            "width": box.width / size.width * 100,
            "height": box.height / size.height * 100,
            "rotation": 0,
            "rectanglelabels": [name],
        },
    }
    if guess.instance.score is not None:
        region["score"] = float(guess.instance.score)
    return region


def drawn_of(result: Sequence[Any], where: str) -> tuple[list[Drawn], list[str]]:
    """The boxes of a result, and a sentence for each entry of it that is none."""
    drawn, faults = [], []
    for region in _joined(result):
        try:
            drawn.append(_drawn(region))
        except CadsightError as error:
            faults.append(f"{where}: {error}")
    return drawn, faults


def _joined(result: Sequence[Any]) -> list[Any]:
    """Entries of one id that tell a rectangle and its label apart become one."""
    shapes = {r.get("id"): dict(r) for r in result if isinstance(r, dict) and r.get("type") == "rectangle"}
    joined: list[Any] = []
    for entry in result:
        kind, key = (entry.get("type"), entry.get("id")) if isinstance(entry, dict) else ("", None)
        if kind == "labels" and key in shapes:
            joined.append({**shapes[key], **entry, "type": "rectanglelabels"})
        elif kind != "rectangle" or not any(
            isinstance(r, dict) and r.get("type") == "labels" and r.get("id") == key for r in result
        ):
            joined.append(entry)
    return joined


def _drawn(entry: Any) -> Drawn:
    region = checked(entry, Region, f"the region {entry.get('id')!r}" if isinstance(entry, dict) else "a region")
    if region.type != "rectanglelabels":
        raise CadsightError(f"the region {region.id!r} is of the type {region.type!r}, expected rectanglelabels")
    value = region.value or Value()
    names = value.rectanglelabels or value.labels or []
    if len(names) != 1:
        raise CadsightError(f"the region {region.id!r} has the labels {names}, expected one class")
    if value.x is None or value.y is None or value.width is None or value.height is None:
        raise CadsightError(f"the region {region.id!r} lacks a side, expected x, y, width and height in per cent")
    if region.image_rotation:
        raise CadsightError(
            f"the region {region.id!r} is of an image that was turned by {region.image_rotation:g} degrees by hand, "
            "expected 0: turn it back in Label Studio"
        )
    stated = None
    if region.original_width and region.original_height:
        stated = (region.original_width, region.original_height)
    return Drawn(
        names[0],
        value.x / 100,
        value.y / 100,
        value.width / 100,
        value.height / 100,
        value.rotation or 0.0,
        about_corner=True,
        stated=stated,
        id=str(region.id or ""),
        source=_SOURCES.get(region.origin),
        score=region.score,
    )
