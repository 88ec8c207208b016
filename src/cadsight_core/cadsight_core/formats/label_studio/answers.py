"""What people said in Label Studio, from its full JSON."""

from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.json_files import checked
from cadsight_core.formats.label_studio import description
from cadsight_core.formats.label_studio.regions import drawn_of
from cadsight_core.formats.labelling.answers import Annotation, Answer, Drawn


def answers_in(path: Path) -> list[Answer]:
    """The answers of each task of a file. An annotation without regions says that nothing is there.

    Raises:
        CadsightError: when it cannot be read, or is no export of Label Studio's.
    """
    tasks = enumerate(description.read_tasks(path))
    return [_answer(task, f"{path}, task {n if task.id is None else task.id}") for n, task in tasks]


def _answer(task: description.Task, where: str) -> Answer:
    annotations, faults = [], []
    for one in task.annotations or ():
        drawn, bad = drawn_of(one.result or (), where)
        # What a skipped one has is not read, so it is no fault.
        faults += [] if one.was_cancelled else bad
        annotations.append(
            Annotation(
                tuple(drawn),
                skipped=bool(one.was_cancelled),
                chosen=bool(one.ground_truth),
                by=_by(one.completed_by),
                at=one.updated_at or one.created_at or "",
            )
        )
    sha256 = task.data.get("cadsight_sha256")
    names = description.names_of(task.data, task.file_upload)
    return Answer(
        where,
        sha256 if isinstance(sha256, str) else "",
        tuple(names),
        tuple(annotations),
        tuple(_guesses(task, where)),
        len(task.drafts or ()),
        tuple(faults),
    )


def _by(who: Any) -> str:
    """Label Studio gives a user's number, or some of the user's fields."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return f"annotator {who}" if isinstance(who, str | int) and who != "" else ""


def _guesses(task: description.Task, where: str) -> list[Drawn]:
    """Of the first prediction that is written out; some exports have the numbers of predictions alone."""
    kept = [*(task.predictions or ()), *(one.prediction for one in task.annotations or ())]
    for entry in kept:
        if not isinstance(entry, dict):
            continue
        try:
            prediction = checked(entry, description.Annotation)
        except CadsightError:
            continue
        if prediction.result:
            return drawn_of(prediction.result, where)[0]
    return []
