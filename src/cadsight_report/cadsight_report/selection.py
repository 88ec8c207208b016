"""A batch of images to label as a page: what the model saw, why each was chosen, and what was passed over."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_active.batch import Batch, Neighbour, Selection
from cadsight_active.candidates import Candidates
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.drawing import draw_instances
from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Instance
from cadsight_core.storage.output_file import is_page, write_output
from markupsafe import Markup

from cadsight_report.graphics import charts
from cadsight_report.graphics.drawing import data_uri
from cadsight_report.page import filled

_WIDTH, _SMALL_WIDTH = 480, 160


@dataclass(frozen=True)
class ChosenImage:
    """An image of the page.

    Attributes:
        uri: the image itself with what the model saw.
        neighbour_uri: the labelled image that is most alike; '' where there is none, or it is gone.
    """

    name: str
    uri: str
    reason: str
    neighbour: Neighbour | None
    neighbour_uri: str


def write_batch_page(path: str | Path, selection: Selection) -> Path:
    """Write the page of a batch.

    Raises:
        CadsightError: when an image of the batch cannot be read, a file of others is at ``path``, or the disk refuses
            the bytes.
    """
    images = _images(selection.batch, selection.candidates)
    text = filled("batch.html.j2", batch=selection.batch, images=images, chart=_chart(selection))
    return write_output(path, text, is_page)


def _images(batch: Batch, candidates: Candidates) -> list[ChosenImage]:
    places = {name: place for place, name in enumerate(candidates.ids)}
    floor = float(batch.options["floor"])
    found = []
    for one in with_progress(batch.images, len(batch.images), "images drawn"):
        if not one.file.is_file():
            raise CadsightError(f"the image {one.file} of the batch is gone, expected it where it was chosen")
        rows = candidates.rows_of(places[one.name])
        seen = _instances(candidates.boxes[rows], candidates.scores[rows], floor)
        image = draw_instances(read_image(one.file), seen, batch.classes)
        near = one.neighbour
        alike = data_uri(read_image(near.file), _SMALL_WIDTH) if near is not None and near.file.is_file() else ""
        found.append(ChosenImage(one.name, data_uri(image, _WIDTH), one.reason, near, alike))
    return found


def _instances(boxes: np.ndarray, scores: np.ndarray, floor: float) -> Sequence[Instance]:
    best = scores.max(axis=1, initial=0.0)
    return [
        Instance(int(score.argmax()), Box(*map(float, box)), score=float(top), source="model")
        for box, score, top in zip(boxes, scores, best, strict=True)
        if top > floor
    ]


def _chart(selection: Selection) -> Markup | None:
    """The value of every image without a label, the chosen ones marked; None of a strategy that values none."""
    candidates, values = selection.candidates, selection.values
    chosen = {one.name for one in selection.batch.images}
    known = [n for n in candidates.unlabelled if not np.isnan(values[n])]
    if not known:
        return None
    order = sorted(known, key=lambda n: -values[n])
    marked = [candidates.ids[n] in chosen for n in order]
    return Markup(charts.ranked([float(values[n]) for n in order], marked))
