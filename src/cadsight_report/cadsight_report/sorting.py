"""Generated images sorted, as a page: each beside its nearest training image; and a page to sort them by eye."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.storage.json_text import json_text
from cadsight_core.storage.output_file import is_page, write_output
from cadsight_generation.sorting.measures.agreement import Agreement
from cadsight_generation.sorting.options import COLOURS
from cadsight_generation.sorting.record import ANSWERS_FORMAT, key_of
from cadsight_generation.sorting.sorter import Sorting
from cadsight_generation.sorting.verdict import SortedImage
from markupsafe import Markup

from cadsight_report.graphics.drawing import data_uri
from cadsight_report.page import filled

_WIDTH, _HAND_WIDTH = 112, 256
# Table 4.1 of the thesis: per cent of 300 images, by the eye of one person.
_THESIS = (
    ("WGAN-GP, 10 images", 4.0, 9.0, 1.3, 85.7),
    ("the same, pre-trained", 1.7, 7.7, 0.7, 90.0),
    ("the same, ten generated images added", 3.0, 6.7, 0.7, 89.7),
    ("the same, ten real images added", 3.7, 15.7, 2.0, 78.7),
)


@dataclass(frozen=True)
class _Shown:
    """A sorted image with what a page shows of it."""

    one: SortedImage
    uri: str
    nearest_uri: str
    key: str


def write_sorting_page(path: str | Path, name: str, sorting: Sorting, by_hand: Agreement | None) -> Path:
    """Write the page of a sorting of the set called ``name``.

    Raises:
        CadsightError: when an image is gone, a file of others is at ``path``, or the disk refuses the bytes.
    """
    groups = {colour: [one for one in sorting.images if one.colour == colour] for colour in COLOURS}
    text = filled(
        "sorted.html.j2",
        name=name,
        sorting=sorting,
        count=sorting.count(),
        groups={colour: _shown(images, _WIDTH) for colour, images in groups.items()},
        recombined=sum(one.recombined for one in sorting.images),
        thesis=_THESIS,
        colours=COLOURS,
        by_hand=by_hand,
    )
    return write_output(path, text, is_page)


def write_hand_page(path: str | Path, name: str, images: Sequence[SortedImage]) -> Path:
    """Write the page on which a person sorts ``images`` of the set called ``name``, which hides how we sorted them.

    Raises:
        CadsightError: as :func:`write_sorting_page`.
    """
    shown = _shown(images, _HAND_WIDTH)
    keys = Markup(json_text([one.key for one in shown]))
    text = filled("by_hand.html.j2", name=name, images=shown, keys=keys, form=ANSWERS_FORMAT, colours=COLOURS)
    return write_output(path, text, is_page)


def _shown(images: Sequence[SortedImage], width: int) -> list[_Shown]:
    return [
        _Shown(
            one,
            data_uri(read_image(one.sample.image), width),
            data_uri(read_image(one.nearest.image), width),
            key_of(one),
        )
        for one in with_progress(images, len(images), "images drawn")
    ]
