"""What lies in the folder of a model, and the rule that a training there replaces nothing but a model of ours.

NAME/model.json         the card
NAME/weights.pt         a state_dict, read with ``weights_only=True``
NAME/learned_from.json  the images that it learned from (see :mod:`cadsight_learning.registry.provenance`)
NAME/pictures.npz       a few that it was validated on (see :mod:`cadsight_learning.data.validation_images`)
NAME/curves.json        losses and figures epoch by epoch, also as curves.csv
NAME/training.pt        while it is trained: the state to go on from after a kill
NAME/exports/           the network for other runtimes (see :mod:`cadsight_learning.runtime.exports`), made when wanted

Files of other names are let be.
"""

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import json_of
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.output_file import Ours, is_ours, json_with, refuse_foreign_file
from cadsight_core.storage.output_folder import own_entries

from cadsight_learning.data.validation_images import IMAGES
from cadsight_learning.registry.provenance import LEARNED_FROM, LEARNED_FROM_FORMAT
from cadsight_learning.runtime.exports import EXPORTS, earlier_network_export

CARD, CARD_FORMAT = "model.json", "cadsight-model-1"
WEIGHTS = "weights.pt"
CURVES_JSON, CURVES_CSV = "curves.json", "curves.csv"
STATE = "training.pt"
# What a training keeps of itself, and of each epoch.
STATE_KEYS = {"identity", "modules", "optimizers", "callbacks", "epoch", "step", "stopped", "over"}
_EARLIER_STATE_KEYS = {"identity", "module", "average", "optimizer", "best", "numbers", "curves"}
_EPOCH_KEYS = ("epoch", "seconds", "learning_rate", "score")
_STAGE, _TENSORBOARD = ".model.", "tensorboard"


def refuse_foreign_model(folder: str | Path) -> None:
    """Refuse a folder in which a training would overwrite files that no training of ours wrote.

    Raises:
        CadsightError: naming the file.
    """
    folder = Path(folder)
    for name, ours in _OURS.items():
        refuse_foreign_file(folder / name, ours)
    if os.path.lexists(folder / WEIGHTS) and not _has_our_files(folder):
        raise CadsightError(f"{folder / WEIGHTS} has no {CARD} of ours beside it, expected another folder")
    if os.path.lexists(folder / _TENSORBOARD) and not (folder / _TENSORBOARD).is_dir():
        raise CadsightError(f"{folder / _TENSORBOARD} is no folder, expected one, or a name that is free")


def replace_model(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Let ``files``, the card among them, become the model in ``folder`` once all their bytes are on the disk.

    Until then the old one stays. Its card goes before its files do, and the new one comes last: a folder with a card
    is whole. After a kill between the two the same training goes on from its state and ends at once.

    Raises:
        CadsightError: as :func:`refuse_foreign_model`, and when the disk refuses the bytes.
    """
    folder = Path(folder)
    refuse_foreign_model(folder)
    stage = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=folder))
        for name, data in files.items():
            write_atomically(stage / name, data)
        for name in (CARD, *(n for n in _OURS if n not in files and n != STATE)):
            (folder / name).unlink(missing_ok=True)
        for name in sorted(files, key=lambda name: name == CARD):
            os.replace(stage / name, folder / name)
    except OSError as error:
        raise CadsightError(f"the model {folder} could not be written: {error.strerror or error}") from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


def files_of_model(folder: Path) -> list[str]:
    """What trainings of ours wrote in ``folder``, by its path there."""
    found = [name for name, ours in _OURS.items() if is_ours(folder / name, ours)]
    if WEIGHTS in found and not _has_our_files(folder):
        found.remove(WEIGHTS)
    for export in folder.glob(f"{EXPORTS}/*/"):
        relative = export.relative_to(folder)
        found += [str(relative), *(str(relative / entry) for entry in own_entries(export, earlier_network_export))]
    return found + [str(path.relative_to(folder)) for path in folder.glob(f"{_TENSORBOARD}/events.out.tfevents.*")]


def _has_our_files(folder: Path) -> bool:
    """Whether files of ours lie beside the weights, so that they are ours too: anybody's weights are such a file."""
    return any((folder / name).exists() for name in (CARD, STATE, CURVES_JSON))


def _is_state(data: bytes) -> bool:
    # Torch is loaded only by who asks: a node that serves an export needs the names above alone.
    from cadsight_learning.weights.checkpoint import checkpoint_of

    keys = checkpoint_of(data).keys()
    return keys >= STATE_KEYS or keys >= _EARLIER_STATE_KEYS


def is_weights(data: bytes) -> bool:
    """Whether these are the bytes of a state_dict, anybody's."""
    from cadsight_learning.weights.checkpoint import checkpoint_of, is_state_dict

    return is_state_dict(checkpoint_of(data))


def _is_curves(data: bytes) -> bool:
    found = json_of(data)
    if not isinstance(found, list) or not found:
        return False
    return all(isinstance(e, dict) and e.keys() >= set(_EPOCH_KEYS) for e in found)


def _is_images(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return file.namelist() == ["pictures.npy"]
    except zipfile.BadZipFile:
        return False


_OURS: dict[str, Ours] = {
    CARD: json_with("kind", "architecture", form=CARD_FORMAT),
    LEARNED_FROM: json_with("train", "valid", form=LEARNED_FROM_FORMAT),
    CURVES_JSON: _is_curves,
    CURVES_CSV: lambda data: data.startswith(",".join(_EPOCH_KEYS).encode()),
    IMAGES: _is_images,
    STATE: _is_state,
    WEIGHTS: is_weights,
}
