"""Models in a folder a name: what they are, where they come from, how good they were, and their weights.

What lies in such a folder is described in :mod:`cadsight_learning.registry.model_folder`.
"""

import dataclasses
import datetime
import hashlib
import json
import logging
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_core.storage.files import inside
from cadsight_core.storage.json_text import figures_text
from numpy.typing import NDArray

from cadsight_learning.data.validation_images import IMAGES, images_bytes
from cadsight_learning.options import MODELS_FOLDER
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import CARD, CARD_FORMAT, WEIGHTS, replace_model
from cadsight_learning.registry.provenance import LEARNED_FROM, LearnedFrom, content
from cadsight_learning.runtime.exports import sha256

if TYPE_CHECKING:
    from torch import Tensor


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """What a registry folder holds, by name.

    Attributes:
        models: the folder and card of each whole model.
        broken: the folder of each other one, and a sentence on what is wrong with it.
    """

    models: tuple[tuple[Path, ModelCard], ...]
    broken: tuple[tuple[Path, str], ...]


def save_model(
    folder: str | Path,
    card: ModelCard,
    state: "Mapping[str, Tensor]",
    learned_from: LearnedFrom | None = None,
    images: NDArray[np.uint8] | None = None,
    curves: Mapping[str, bytes] | None = None,
) -> None:
    """Write a model, replacing an earlier one; see :func:`cadsight_learning.registry.model_folder.replace_model`.

    Args:
        images: that it was validated on (see :mod:`cadsight_learning.data.validation_images`).
        curves: the files of its training's curves (see :func:`cadsight_learning.training.curves.curve_files`).

    Raises:
        CadsightError: when ``folder`` holds files of others under a model's names, or the disk refuses the bytes.
    """
    from cadsight_learning.weights.checkpoint import checkpoint_bytes

    files = {WEIGHTS: checkpoint_bytes({k: v.contiguous() for k, v in state.items()}), **(curves or {})}
    if learned_from is not None:
        files[LEARNED_FROM] = learned_from.to_bytes()
    if images is not None:
        files[IMAGES] = images_bytes(images)
    data = {"format": CARD_FORMAT, **dataclasses.asdict(card)}
    replace_model(folder, {**files, CARD: (figures_text(data, indent=1) + "\n").encode()})


def find(name: str | Path, models: str | Path = MODELS_FOLDER) -> Path:
    """The folder of a model by its path, or by its name in the registry folder ``models``.

    Raises:
        CadsightError: when neither holds a model.
    """
    if (Path(name) / CARD).is_file():
        return Path(name)
    if Path(name).is_absolute():
        raise CadsightError(f"there is no model in {name}, expected a folder with {CARD}")
    return named(name, models)


def named(name: str | Path, models: str | Path = MODELS_FOLDER) -> Path:
    """The folder of the model ``name`` of the registry folder ``models``, and of no other folder.

    Raises:
        CadsightError: for a name that leads out of the registry, or that it does not hold.
    """
    folder = inside(models, name)
    if (folder / CARD).is_file():
        return folder
    held = [path.parent.name for path in sorted(Path(models).glob(f"*/{CARD}"))]
    expected = f"one of {', '.join(held)}" if held else "one that was trained, and it holds none yet"
    raise CadsightError(f"there is no model {str(name)!r} in {models}, expected {expected}")


def list_models(models: str | Path) -> Listed:
    """What is in a registry folder; a model that is broken hides none of the others."""
    whole, broken = [], []
    for path in sorted(Path(models).glob(f"*/{CARD}")):
        try:
            card = load_card(path.parent)
            if not (path.parent / WEIGHTS).is_file():
                raise CadsightError(f"{path.parent} has a card and no {WEIGHTS}, expected both")
            whole.append((path.parent, card))
        except CadsightError as error:
            broken.append((path.parent, str(error)))
    return Listed(tuple(whole), tuple(broken))


def version(folder: str | Path) -> str:
    """SHA-256 over the card and the weights of the model in ``folder``: other weights under the same name differ.

    Raises:
        CadsightError: when they cannot be read.
    """
    parts = "".join(sha256(Path(folder) / name) for name in (CARD, WEIGHTS))
    return hashlib.sha256(parts.encode()).hexdigest()


def fingerprint(samples: Iterable[Sample]) -> str:
    """SHA-256 over the names, labels and image files of samples, whatever folder they lie in.

    Raises:
        CadsightError: when an image is gone.
    """
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda s: s.name):
        labels = {**sample.to_json(), "image": sample.image.name}
        digest.update(json.dumps(labels, sort_keys=True, default=str, allow_nan=True).encode())
        digest.update(bytes.fromhex(content(sample)))
    return digest.hexdigest()


def code_version() -> str:
    """``git describe`` of the sources that run, else the version of this package."""
    described = subprocess.run(
        ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty", "--tags"],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() if described.returncode == 0 else "0.1.0"


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
