"""What goes to a labelling tool of a batch or a data set, with what a model sees there as the first guess."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.formats.labelling.tasks import RECORD, Tasks, load_record, tasks_of
from cadsight_core.imaging.images import image_size, read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Instance, Sample
from cadsight_learning.detection.detector import Detector
from cadsight_learning.registry.provenance import content

from cadsight_active.batch import BATCH, CANDIDATES, Batch, Selection, load_batch, load_selection

# What scores less would have to be taken away more often than it is right.
MIN_SCORE = 0.25
_AT_ONCE = 16


def is_batch(folder: str | Path) -> bool:
    """Whether a batch of `cadsight select` is there."""
    return (Path(folder) / BATCH).is_file()


def is_export(folder: str | Path) -> bool:
    """Whether an export for a labelling tool is there."""
    return (Path(folder) / RECORD).is_file()


def tasks_of_batch(folder: str | Path, min_score: float = MIN_SCORE) -> Tasks:
    """The images of a batch, with the detections that it keeps of them as guesses.

    Raises:
        CadsightError: when the batch cannot be read, or one of its images is gone or another one now.
    """
    if not (Path(folder) / CANDIDATES).is_file():
        batch = load_batch(folder)
        return tasks_of(_samples(batch, {}), batch.classes)
    selection = load_selection(folder)
    batch = selection.batch
    model = f"{Path(batch.model).name} {batch.model_sha256[:16]}".strip()
    return tasks_of(_samples(batch, _guesses(selection, min_score)), batch.classes, model)


def tasks_of_samples(samples: Iterable[Sample], classes: Sequence[str], *, knows_guesses: bool = True) -> Tasks:
    """The images of a data set, with the labels that it has as guesses.

    Raises:
        CadsightError: when an image is gone.
    """
    return tasks_of([(s, content(s)) for s in samples], classes, knows_guesses=knows_guesses)


def load_tasks(folder: str | Path, min_score: float = MIN_SCORE) -> Tasks | None:
    """The tasks of an export or a batch in ``folder``, None where there is neither.

    Raises:
        CadsightError: when they cannot be read.
    """
    if is_export(folder):
        return load_record(folder)
    return tasks_of_batch(folder, min_score) if is_batch(folder) else None


def guessed_by(detector: Detector, tasks: Tasks, model: str, min_score: float = MIN_SCORE) -> Tasks:
    """The same images with what ``detector``, called ``model``, sees there.

    Raises:
        CadsightError: when an image cannot be read.
    """
    found = []
    each = tasks.each
    for start in with_progress(range(0, len(each), _AT_ONCE), -(-len(each) // _AT_ONCE), "batches inferred"):
        some = each[start : start + _AT_ONCE]
        guesses = detector.predict([read_image(task.sample.image) for task in some], min_score)
        for task, instances in zip(some, guesses, strict=True):
            # A mask is not what people are asked for, and does not fit the box that they leave.
            plain = tuple(replace(i, mask=None) for i in instances)
            found.append((replace(task.sample, instances=plain), task.sha256))
    return tasks_of(found, detector.classes, model)


def _samples(batch: Batch, guesses: dict[str, tuple[Instance, ...]]) -> list[tuple[Sample, str]]:
    found = []
    for one in batch.images:
        if not one.file.is_file():
            raise CadsightError(f"the image {one.file} of the batch is gone, expected it where it was chosen")
        sample = Sample(one.name, one.file, image_size(one.file), instances=guesses.get(one.name, ()))
        if content(sample) != one.sha256:
            raise CadsightError(f"the image {one.file} has changed since it was chosen, expected its SHA-256 as it was")
        found.append((sample, one.sha256))
    return found


def _guesses(selection: Selection, min_score: float) -> dict[str, tuple[Instance, ...]]:
    """By the image's name; the id of a guess is its row, whatever the lowest score is."""
    candidates, chosen = selection.candidates, {one.name for one in selection.batch.images}
    if not selection.batch.classes:
        return {}
    found = {}
    for place, name in enumerate(candidates.ids):
        if name not in chosen:
            continue
        rows = candidates.rows_of(place)
        kept = []
        for number, (box, scores) in enumerate(zip(candidates.boxes[rows], candidates.scores[rows], strict=True)):
            best = int(scores.argmax())
            if scores[best] >= min_score:
                corners = Box(*map(float, box))
                attributes = {"guess_id": f"guess-{number}"}
                score = float(scores[best])
                kept.append(Instance(best, corners, score=score, source="model", attributes=attributes))
        found[name] = tuple(kept)
    return found
