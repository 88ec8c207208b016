"""From any known format to any other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.formats.account import Account, Counting, LeftOut, Tally, reading_lost
from cadsight_core.formats.anything import Reading, find, read_found
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.writers import TARGETS, WRITERS, Writing
from cadsight_core.formats.yolo.labels import Shapes
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Sample

Arrange = Callable[[Sequence[Sample]], Sequence[Sample]]


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        path: what a trainer opens: a folder, or YOLO's data.yaml.
    """

    path: Path
    account: Account


def convert(
    source: str | Path,
    target: str | Path,
    to: str,
    *,
    square: bool = False,
    shapes: Shapes = "as_given",
    arrange: Arrange | None = None,
    reading: Reading | None = None,
    left_before: Sequence[LeftOut] = (),
) -> Converted:
    """Write the data set ``source`` as a new folder ``target`` in the format ``to``.

    Args:
        square: make boxes 1:1 (Comillas, section 3.3).
        shapes: which outlines YOLO's lines show (see :func:`cadsight_core.formats.yolo.labels.row_kind`).
        arrange: gives the samples to write, each with its split; without it all are written as they are.
        reading: how the source is read.
        left_before: what whoever made the source of something else has left out of it.

    Raises:
        CadsightError: when the source has no images, an image or label of it cannot be used, ``target`` holds other
            files, or the disk refuses the bytes. ``target`` is whole or not there.
    """
    writer = next((w for w in WRITERS if w.name == to), None)
    if writer is None:
        raise CadsightError(f"the format is {to!r}, expected one of {', '.join(TARGETS)}")
    reading = reading or Reading()
    there = find(source, reading)
    notes = Notes(strict=not reading.allow_loss)
    loaded = read_found(there, notes)
    if not loaded.samples:
        raise CadsightError(f"{there.folder} is read as {loaded.format} and holds no images, expected some")
    writing = Writing(square, shapes)
    samples = arrange(loaded.samples) if arrange else loaded.samples
    unlabelled = tuple(sample.image for sample in notes.unlabelled(samples, loaded.format))
    # What is left out is counted before anything is written: a label that cannot be used ends it here.
    loses = writer.loses(samples, writing)
    counting = Counting()
    for sample in with_progress_if_many(samples, len(samples), "labels counted"):
        counting.add(sample, loses(sample))
    names, why = writer.loses_classes(loaded.classes, counting.used)
    if names:
        counting.lose("classes", why, len(names), names[0])
    path = writer.write(samples, loaded, Path(target), writing)
    read = _with_classes(counting.held, len(loaded.classes))
    left_out = (*left_before, *reading_lost(notes, [u.file for u in there.images]), *counting.left_out)
    remarks = tuple(p.sentence for p in notes.problems if not p.loses)
    return Converted(path, Account(read, _written(read, counting.left_out), left_out, unlabelled, remarks))


def _with_classes(tally: Tally, classes: int) -> Tally:
    return Tally(**{**vars(tally), "classes": classes})


def _written(read: Tally, left_out: Sequence[LeftOut]) -> Tally:
    counts = dict(vars(read))
    for one in left_out:
        counts[one.what.replace(" ", "_")] -= one.count
    return Tally(**counts)
