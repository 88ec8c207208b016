"""The labelling tools that labels go to and come from: one entry each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.label_studio import answers as label_studio
from cadsight_core.formats.label_studio.writing import CONFIG, TASKS, config_text, tasks_text
from cadsight_core.formats.labelling.answers import Answer
from cadsight_core.formats.labelling.settling import Settled
from cadsight_core.formats.labelling.tasks import RECORD, Tasks, record_text
from cadsight_core.formats.xml import cvat_labels
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.output_folder import whole_folder

IMAGES = "images"


@dataclass(frozen=True)
class Tool:
    """A labelling tool.

    Attributes:
        files: the texts of the files that it takes, by name; the second argument stands before the names of images.
        answers: reads what it gives back.
    """

    name: str
    files: Callable[[Tasks, str], dict[str, str]]
    answers: Callable[[Path], list[Answer]]


def _for_label_studio(tasks: Tasks, before: str) -> dict[str, str]:
    return {TASKS: tasks_text(tasks, before), CONFIG: config_text(tasks.classes)}


def _for_cvat(tasks: Tasks, _before: str) -> dict[str, str]:
    return {
        cvat_labels.ANNOTATIONS: cvat_labels.annotations_text(tasks),
        cvat_labels.LABELS: cvat_labels.labels_text(tasks),
    }


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("label-studio", _for_label_studio, label_studio.answers_in),
        Tool("cvat", _for_cvat, cvat_labels.answers_in),
    )
}


def write_export(tasks: Tasks, tool: Tool, folder: str | Path, before: str | None = None) -> Path:
    """Write a folder with the files for a tool, copies of the images in ``images/``, and our record.

    Args:
        before: what makes the name of an image its address for the tool; by default Label Studio's local files, whose
            root is the folder that ``folder`` lies in.

    Raises:
        CadsightError: without images or classes, when an image is gone, files of others are in the folder, or the disk
            refuses the bytes.
    """
    if not tasks.each:
        raise CadsightError("the batch has no images, expected some to label")
    if not tasks.classes:
        raise CadsightError("the batch has no classes, as no model chose it, expected --classes NAME ...")
    if before is None:
        before = f"/data/local-files/?d={Path(folder).resolve().name}/{IMAGES}/"
    texts = tool.files(tasks, before)
    with whole_folder(folder) as work:
        (work / IMAGES).mkdir()
        for task in with_progress_if_many(tasks.each, len(tasks.each), "images written"):
            write_atomically(work / IMAGES / task.file_name, _bytes_of(task.sample.image))
        for name, text in {**texts, RECORD: record_text(tasks, tool.name)}.items():
            write_atomically(work / name, text)
    return Path(folder).resolve()


def read_answers(files: Sequence[str | Path], tool: Tool) -> list[Answer]:
    """The answers in several files of one batch.

    Raises:
        CadsightError: when one cannot be read or is no export of the tool.
    """
    return [answer for file in files for answer in tool.answers(Path(file))]


def write_labelled(settled: Settled, folder: str | Path) -> Path:
    """Write the annotated images as a new data set, whose header keeps the account.

    Raises:
        CadsightError: as :meth:`cadsight_core.datasets.dataset.Dataset.append_file`, when none is annotated, and for a
            folder that holds something.
    """
    account = settled.account
    if not settled.samples:
        raise CadsightError(
            f"none of the batch's images is annotated ({len(account.skipped)} skipped, {len(account.not_annotated)} "
            "left), expected labels"
        )
    with whole_folder(folder, replace=False) as work:
        dataset = Dataset.create(work, settled.classes, extra={"labels": account.to_json()})
        for sample in with_progress_if_many(settled.samples, len(settled.samples), "images written"):
            state = "labelled" if sample.instances else "empty"
            dataset.append_file(replace(sample, record={**sample.record, "labels": state}))
    return Path(folder).resolve()


def _bytes_of(image: Path) -> bytes:
    try:
        return image.read_bytes()
    except OSError as error:
        raise CadsightError(f"the image {image} could not be read: {error.strerror}, expected a file") from error
