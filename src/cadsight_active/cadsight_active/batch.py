"""A batch of images to label: which, why, and what they were chosen from; a folder on the disk.

FOLDER/batch.json       the images with their reasons, the options, the model and what was left out
FOLDER/candidates.npz   scores, boxes and features of everything that could be chosen, so that it can be explained
"""

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.storage.documents import read_document, taken_from
from cadsight_core.storage.files import make_folder, write_atomically
from cadsight_core.storage.json_text import figures_text, number
from cadsight_core.storage.output_file import json_with, refuse_foreign_file

from cadsight_active.candidates import Candidates

FORMAT = "cadsight-batch-1"
BATCH, CANDIDATES = "batch.json", "candidates.npz"
_is_batch = json_with("strategy", "images", form=FORMAT)
_COLUMNS = ("labelled", "counts", "scores", "boxes", "object_features")
_MAY_LACK = ("image_features", "common_features", "difficulties")


@dataclass(frozen=True)
class Neighbour:
    """The labelled image that is most alike.

    Attributes:
        file: where its image lay.
        distance: cosine distance of their features, 0 of the same.
    """

    name: str
    file: Path
    distance: float


@dataclass(frozen=True)
class Chosen:
    """One image of a batch.

    Attributes:
        name: of its sample.
        file: where its image lay.
        sha256: of its image file.
        value: what the strategy thought of it; NaN where it thought nothing.
        cluster: the group that it stands for, None where there are none.
        reason: why it was chosen.
        neighbour: None where no image is labelled, or the model has no features.
    """

    name: str
    file: Path
    sha256: str
    value: float
    cluster: int | None
    reason: str
    neighbour: Neighbour | None = None


@dataclass(frozen=True)
class Batch:
    """Images to label, the first choice first.

    Attributes:
        options: all that the strategy was asked for, by name.
        model: folder of the model, '' where none was asked.
        model_sha256: of its weights, '' likewise.
        classes: of the model, by their ids.
        pool: how many images could be chosen, and how many were labelled.
        refused: names of images of which a score or feature is no number.
        floor_correlations: how the order of all images by value at a lower or higher floor goes with that at the floor
            that was taken (Spearman), by floor; empty for a strategy without such values.
        notes: what is to be known of the whole batch.
    """

    strategy: str
    options: Mapping[str, Any]
    model: str
    model_sha256: str
    classes: tuple[str, ...]
    pool: tuple[int, int]
    images: tuple[Chosen, ...]
    refused: tuple[str, ...] = ()
    floor_correlations: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        images = [_with_texts(asdict(one)) for one in self.images]
        return {
            **{name: value for name, value in asdict(self).items() if name != "images"},
            "images": images,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Batch":
        """What :meth:`to_json` made.

        Raises:
            CadsightError: for data of another form.
        """
        with taken_from("a batch", "what `cadsight select` writes"):
            return Batch(
                str(data["strategy"]),
                dict(data["options"]),
                str(data["model"]),
                str(data["model_sha256"]),
                tuple(data["classes"]),
                (int(data["pool"][0]), int(data["pool"][1])),
                tuple(map(_chosen, data["images"])),
                tuple(data["refused"]),
                {k: number(v) for k, v in (data["floor_correlations"] or {}).items()},
                tuple(data["notes"]),
            )


def _with_texts(data: dict[str, Any]) -> dict[str, Any]:
    """``data`` with texts in place of paths."""
    return {
        key: _with_texts(value) if isinstance(value, dict) else str(value) if isinstance(value, Path) else value
        for key, value in data.items()
    }


def _chosen(data: Mapping[str, Any]) -> Chosen:
    near = data["neighbour"]
    return Chosen(
        str(data["name"]),
        Path(data["file"]),
        str(data["sha256"]),
        number(data["value"]),
        None if data["cluster"] is None else int(data["cluster"]),
        str(data["reason"]),
        None if near is None else Neighbour(str(near["name"]), Path(near["file"]), float(near["distance"])),
    )


def refuse_foreign_batch(folder: str | Path) -> None:
    """Refuse a folder in which a batch would write over what no batch left.

    Raises:
        CadsightError: naming the file.
    """
    refuse_foreign_file(Path(folder) / BATCH, _is_batch)
    refuse_foreign_file(Path(folder) / CANDIDATES, _is_candidates)


@dataclass(frozen=True, eq=False)
class Selection:
    """A batch with all that it was chosen from.

    Attributes:
        values: (N,) what the strategy thought of each candidate, NaN where it thought nothing.
    """

    batch: Batch
    candidates: Candidates
    values: Array


def save_selection(folder: str | Path, selection: Selection) -> None:
    """Write a batch, its candidates first: where batch.json is, all of it is.

    Raises:
        CadsightError: as :func:`refuse_foreign_batch`, and when the disk refuses the bytes.
    """
    refuse_foreign_batch(folder)
    make_folder(Path(folder))
    columns = {name: getattr(selection.candidates, name) for name in (*_COLUMNS, *_MAY_LACK)}
    file = io.BytesIO()
    there = {name: value for name, value in columns.items() if value is not None}
    ids = np.array(selection.candidates.ids, np.str_)
    np.savez_compressed(file, ids=ids, values=selection.values, **there)
    write_atomically(Path(folder) / CANDIDATES, file.getvalue())
    write_atomically(
        Path(folder) / BATCH, figures_text({"format": FORMAT, **selection.batch.to_json()}, indent=1) + "\n"
    )


def load_batch(folder: str | Path) -> Batch:
    """The batch in a folder.

    Raises:
        CadsightError: when it cannot be read, or is of another form.
    """
    return Batch.from_json(read_document(Path(folder) / BATCH, FORMAT, "batch"))


def load_selection(folder: str | Path) -> Selection:
    """The batch in a folder and what it was chosen from.

    Raises:
        CadsightError: when they cannot be read, or are of another form.
    """
    batch, path = load_batch(folder), Path(folder) / CANDIDATES
    try:
        with np.load(path, allow_pickle=False) as file:
            columns = {name: file[name] for name in _COLUMNS}
            more = {name: file[name] for name in _MAY_LACK if name in file}
            return Selection(batch, Candidates(tuple(map(str, file["ids"])), **columns, **more), file["values"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise CadsightError(f"{path} could not be read ({error}), expected the candidates of a batch") from error


def _is_candidates(data: bytes) -> bool:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return {"ids", "values", *_COLUMNS} <= set(file)
    except (OSError, ValueError, EOFError, BadZipFile):
        return False
