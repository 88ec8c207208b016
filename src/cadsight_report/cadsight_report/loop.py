"""A loop as a page: the score over time and labels, each alarm, batch, gate and swap."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from cadsight_active.batch import load_batch
from cadsight_active.loop.history import (
    BatchChosen,
    Ended,
    Entry,
    Gated,
    Labelled,
    Learned,
    Noticed,
    Swapped,
    Triggered,
    in_words,
    read_history,
)
from cadsight_active.loop.shown import Shown, read_shown
from cadsight_active.loop.steps.choosing import load_drawn
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.imaging.drawing import draw_instances
from cadsight_core.storage.output_file import is_page, write_output
from markupsafe import Markup

from cadsight_report.graphics import charts
from cadsight_report.graphics.drawing import data_uri
from cadsight_report.origin import versions
from cadsight_report.page import filled

# Images whose scores are averaged to a point, and those of a batch that are drawn.
_TOGETHER, _DRAWN = 20, 12
# Events of a chart that are nearer than this fraction of it stand as one.
_NEAR = 0.015
_SMALL_WIDTH = 200


@dataclass(frozen=True)
class ShownCycle:
    """A cycle, in words.

    Attributes:
        verdict: of the gate, or why there was none.
        images: of the batch, drawn with their labels.
    """

    number: int
    alarm: str
    others: tuple[str, ...]
    batch: str
    labels: str
    model: str
    verdict: str
    served: str
    images: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ShownGeneration:
    """The score of what served, by what the cell was like."""

    generation: int
    detector: str
    labels: int
    phase: str
    images: int
    score: str


def write_loop_page(path: str | Path, folder: str | Path, shown: str | Path) -> Path:
    """Write the page of the loop in ``folder``, with what it was shown where the truth is known.

    Raises:
        CadsightError: when the loop cannot be read, a file of others is at ``path``, or the disk refuses the bytes.
    """
    folder = Path(folder)
    entries, images = read_history(folder), read_shown(shown)
    text = filled(
        "loop.html.j2",
        images=len(images),
        cycles=[_cycle(folder, entries, number) for number in range(1, max((e.cycle for e in entries), default=0) + 1)],
        chart=_chart(images),
        generations=_generations(entries, images),
        history=[(entry.at, entry.cycle, in_words(entry.event)) for entry in entries],
        versions=versions(),
    )
    return write_output(path, text, is_page)


def _chart(shown: Sequence[Shown]) -> Markup | None:
    if not shown:
        return None
    points = []
    for _, group in groupby(shown, lambda one: (one.phase, one.generation)):
        own = list(group)
        for start in range(0, len(own), _TOGETHER):
            some = own[start : start + _TOGETHER]
            points.append((float(some[-1].number), float(np.mean([one.score for one in some]))))
    events: list[tuple[float, str]] = []
    for before, one in pairwise(shown):
        if before.phase != one.phase:
            events.append((one.number, "the lamp is changed"))
        if before.generation != one.generation:
            events.append((one.number, f"{one.detector} serves"))
        events += [(one.number, f"alarm: {name}") for name in one.alarms]
    words = f"F1 beside the truth, mean of {_TOGETHER} images"
    apart = len(shown) * _NEAR
    return Markup(charts.stream(points, _together(events, apart), "images that were shown", words))


def _together(events: Sequence[tuple[float, str]], apart: float) -> list[tuple[float, str]]:
    """Events that are nearer to each other than ``apart`` as one, whose text names them all."""
    found: list[tuple[float, str]] = []
    for place, text in events:
        if found and place - found[-1][0] < apart:
            found[-1] = (found[-1][0], f"{found[-1][1]}, {text}")
        else:
            found.append((place, text))
    return found


def _generations(entries: Sequence[Entry], shown: Sequence[Shown]) -> list[ShownGeneration]:
    labels, known = 0, {}
    for entry in entries:
        if isinstance(entry.event, Labelled):
            labels += entry.event.images
        if isinstance(entry.event, Swapped):
            known[entry.event.served.generation] = labels
    found = []
    for key in dict.fromkeys((one.generation, one.phase) for one in shown):
        own = [one for one in shown if (one.generation, one.phase) == key]
        score = f"{np.mean([one.score for one in own]):.3f}"
        found.append(ShownGeneration(key[0], own[0].detector, known.get(key[0], 0), key[1], len(own), score))
    return found


def _cycle(folder: Path, entries: Sequence[Entry], number: int) -> ShownCycle:
    events = [entry.event for entry in entries if entry.cycle == number]

    def words(*kinds: type) -> str:
        return "; ".join(in_words(event) for event in events if isinstance(event, kinds))

    swap = [e for e in events if isinstance(e, Swapped) and e.why == "gate"]
    return ShownCycle(
        number,
        words(Triggered),
        tuple(in_words(event) for event in events if isinstance(event, Noticed)),
        words(BatchChosen),
        words(Labelled),
        words(Learned),
        words(Gated, Ended) or "not decided yet",
        in_words(swap[-1]) if swap else "the models before go on",
        _images(folder, events),
    )


def _images(folder: Path, events: Sequence[object]) -> tuple[tuple[str, str], ...]:
    """Images of a batch with their labels, and why each was chosen."""
    batch = next((e for e in events if isinstance(e, BatchChosen)), None)
    labelled = next((e for e in events if isinstance(e, Labelled)), None)
    if batch is None or labelled is None:
        return ()
    reasons = {one.name: one.reason for one in load_batch(folder / batch.batch).images}
    reasons |= dict.fromkeys(load_drawn(folder / batch.batch).names, "at random, held out")
    found = []
    for named in filter(None, (labelled.learn, labelled.audit)):
        dataset = Dataset.open(folder / named)
        for sample in list(dataset)[: _DRAWN // 2]:
            drawn = draw_instances(dataset.image(sample), sample.instances, dataset.classes)
            found.append((data_uri(drawn, _SMALL_WIDTH), reasons.get(sample.name, "")))
    return tuple(found)
