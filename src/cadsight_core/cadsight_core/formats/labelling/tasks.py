"""Images that go to a labelling tool with a first guess of their labels, and the record of them that stays here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance, Sample
from cadsight_core.storage.documents import read_document, taken_from
from cadsight_core.storage.json_text import json_text

RECORD = "export.json"
FORMAT = "cadsight-labels-1"
_NOT_IN_NAMES = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True)
class Guess:
    """A label that people see before they begin.

    Attributes:
        id: by which the tool gives it back; unique in its image.
    """

    id: str
    instance: Instance


@dataclass(frozen=True)
class Task:
    """One image to label.

    Attributes:
        sample: with an absolute image and without labels; its name is one name without folders.
        sha256: of its image file, in hex digits.
    """

    sample: Sample
    sha256: str
    guesses: tuple[Guess, ...] = ()

    @property
    def file_name(self) -> str:
        """Of the image as the tool gets it."""
        return f"{self.sample.name}{self.sample.image.suffix.lower()}"


@dataclass(frozen=True)
class Tasks:
    """Images to label, none twice.

    Attributes:
        classes: that labels may have; none where people choose them.
        model: what made the guesses, in words; '' where nothing did.
        knows_guesses: whether an image without a guess had none; else the tool's own file may tell.
    """

    each: tuple[Task, ...]
    classes: tuple[str, ...]
    model: str = ""
    knows_guesses: bool = True


def tasks_of(
    samples: Iterable[tuple[Sample, str]], classes: Sequence[str], model: str = "", *, knows_guesses: bool = True
) -> Tasks:
    """Tasks of samples with the SHA-256 of their images; their labels are the guesses, numbered in their order.

    An instance whose attributes have ``guess_id`` keeps that.
    """
    taken: dict[str, None] = {}
    each = []
    for sample, sha256 in samples:
        name = _free_name(sample.name, taken)
        taken[name] = None
        guesses = tuple(_guess(number, instance) for number, instance in enumerate(sample.instances))
        each.append(Task(replace(sample, name=name, instances=()), sha256, guesses))
    return Tasks(tuple(each), tuple(classes), model, knows_guesses)


def _guess(number: int, instance: Instance) -> Guess:
    attributes = dict(instance.attributes)
    return Guess(str(attributes.pop("guess_id", f"guess-{number}")), replace(instance, attributes=attributes))


def _free_name(name: str, taken: Mapping[str, None]) -> str:
    """``name`` as a file may be called in every tool, with a number behind it where it is taken."""
    flat = _NOT_IN_NAMES.sub("_", name).lstrip(".") or "image"
    return next(n for n in (flat, *(f"{flat}_{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def record_text(tasks: Tasks, tool: str) -> str:
    """The record of an export as the text of its file; images by where they lay."""
    images = [
        {
            **replace(task.sample, instances=tuple(g.instance for g in task.guesses)).to_json(),
            "sha256": task.sha256,
            "ids": [g.id for g in task.guesses],
        }
        for task in tasks.each
    ]
    found = {"format": FORMAT, "tool": tool, "model": tasks.model, "classes": list(tasks.classes), "images": images}
    return json_text(found, indent=1) + "\n"


def load_record(folder: str | Path) -> Tasks:
    """The record in the folder of an export.

    Raises:
        CadsightError: when it cannot be read or is of another form.
    """
    data = read_document(Path(folder) / RECORD, FORMAT, "export of labels")
    with taken_from("an export of labels", "what `cadsight labels export` writes"):
        each = tuple(_task(entry, Path(folder)) for entry in data["images"])
        return Tasks(each, tuple(map(str, data["classes"])), str(data["model"]))


def _task(entry: Mapping[str, Any], folder: Path) -> Task:
    sample = Sample.from_json(entry)
    if len(entry["ids"]) != len(sample.instances):
        raise CadsightError(f"the image {sample.name!r} has {len(entry['ids'])} ids, expected one for each guess")
    guesses = tuple(Guess(str(i), one) for i, one in zip(entry["ids"], sample.instances, strict=True))
    # The copy that went out is what was labelled, wherever the first one is now.
    copy = folder.resolve() / "images" / f"{sample.name}{sample.image.suffix.lower()}"
    image = copy if copy.is_file() else sample.image
    return Task(replace(sample, image=image, instances=()), str(entry["sha256"]), guesses)
