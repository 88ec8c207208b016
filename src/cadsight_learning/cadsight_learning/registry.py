"""Models in a folder a name: what they are, where they come from, how good they were, and their weights.

What lies in such a folder is told in :mod:`cadsight_learning.model_folder`.
"""

import dataclasses
import datetime
import hashlib
import json
import logging
import os
import subprocess
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.files import inside
from cadsight_core.sample import Sample
from numpy.typing import NDArray

from cadsight_learning.exports import EXPORTS, Exports, sha256, untold
from cadsight_learning.learned_from import LEARNED_FROM, LearnedFrom, content
from cadsight_learning.machine import device_name
from cadsight_learning.model_folder import CARD, CARD_FORMAT, WEIGHTS, replace_model
from cadsight_learning.options import MODELS_FOLDER, is_exportable
from cadsight_learning.regressor import COLOURS, Regressor
from cadsight_learning.runtimes import runtime_of
from cadsight_learning.validation_pictures import PICTURES, pictures_bytes

if TYPE_CHECKING:
    from torch import Tensor

    from cadsight_learning.detector import Detector, TorchDetector
    from cadsight_learning.exported import ExportedNetwork
    from cadsight_learning.normals import NormalRegressor

# What JSON holds for a field of a card of each type, and what it is called.
_IN_JSON: dict[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    dict: ((dict,), "an object"),
    tuple: ((list,), "a list"),
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model.

    Attributes:
        kind: 'detector' or 'normals'.
        image_size: longer side of a picture, or side of a crop, in pixels as the network sees it.
        started_from: sentence on the weights that training started from.
        data: of each split its number of pictures and fingerprint.
        figures: on validation pictures, of the epoch that was kept.
        extra: what this kind needs besides, such as the regressor's covariance and temperature.
    """

    kind: str
    architecture: str
    classes: tuple[str, ...]
    image_size: int
    started_from: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0
    stopped: str = ""
    code: str = ""
    created: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


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
    pictures: NDArray[np.uint8] | None = None,
    curves: Mapping[str, bytes] | None = None,
) -> None:
    """Write a model in the place of an earlier one; see :func:`cadsight_learning.model_folder.replace_model`.

    Args:
        pictures: that it was validated on (see :mod:`cadsight_learning.validation_pictures`).
        curves: the files of its training's curves (see :func:`cadsight_learning.training.curve_files`).

    Raises:
        CadsightError: when ``folder`` holds files of others under a model's names, or the disk refuses the bytes.
    """
    from cadsight_learning.checkpoint import checkpoint_bytes

    files = {WEIGHTS: checkpoint_bytes({k: v.contiguous() for k, v in state.items()}), **(curves or {})}
    if learned_from is not None:
        files[LEARNED_FROM] = learned_from.to_bytes()
    if pictures is not None:
        files[PICTURES] = pictures_bytes(pictures)
    data = {"format": CARD_FORMAT, **dataclasses.asdict(card)}
    replace_model(folder, {**files, CARD: (json.dumps(data, indent=1) + "\n").encode()})


def load_card(folder: str | Path) -> ModelCard:
    """The card of the model in ``folder``.

    Raises:
        CadsightError: when there is none, or it is not ours.
    """
    path = Path(folder) / CARD
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise CadsightError(f"{folder} holds no model: {CARD} could not be read, expected a trained model") from error
    except ValueError as error:
        raise CadsightError(f"the card {path} is not JSON: {error}") from error
    if not isinstance(data, dict) or data.pop("format", None) != CARD_FORMAT:
        raise CadsightError(f"the card {path} is of another format, expected {CARD_FORMAT}")
    known = {f.name for f in dataclasses.fields(ModelCard)}
    if not {"kind", "architecture", "classes", "image_size"} <= data.keys() <= known:
        raise CadsightError(f"the card {path} has the keys {sorted(data)}, expected {sorted(known)}")
    hints = typing.get_type_hints(ModelCard)
    for name, value in data.items():
        kinds, words = _IN_JSON[typing.get_origin(hints[name]) or hints[name]]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise CadsightError(f"the card {path} has {name} {value!r}, expected {words}")
    return ModelCard(**{**data, "classes": tuple(map(str, data["classes"]))})


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
    """The folder of the model ``name`` of the registry folder ``models``, and of no other place.

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


@overload
def load_detector(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: Literal["torch"] = "torch",
    tell: Callable[[str], None] = untold,
    threads: int = 0,
) -> "TorchDetector": ...
@overload
def load_detector(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = untold,
    threads: int = 0,
) -> "Detector": ...
def load_detector(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = untold,
    threads: int = 0,
) -> "Detector":
    """The detector of the class that its card's architecture wants, on ``device`` (see :mod:`.devices`).

    Torch is not loaded where another runtime looks; that one's network is there, and what is wrong with it is told,
    when it is first asked to look.

    Args:
        runtime: what looks (see :mod:`.runtimes`); with ``auto`` torch does where the network cannot be exported.
        tell: is told the steps of an export (see :class:`cadsight_learning.exports.Exports`).
        threads: of one look on the processor; 0: as many as torch takes. Where torch looks all of torch uses them.

    Raises:
        CadsightError: when there is no such model, device or runtime, it is no detector, its files do not fit together,
            or ``runtime`` cannot look for it.
    """
    folder, card = _of_kind(name, models, "detector")
    there = device_name(device)
    chosen = runtime_of(runtime, there)
    if chosen != "torch" and is_exportable(card.architecture):
        from cadsight_learning.exported import ExportedDetector

        network = _exported(folder, card, chosen, runtime == "auto", tell, threads)
        return ExportedDetector(card.architecture, card.classes, card.image_size, network)
    if chosen != "torch" and runtime != "auto":
        raise CadsightError(f"{card.architecture} cannot be exported, expected a YOLO detector, or the runtime torch")
    if chosen != "torch":
        _log.info("torch runs %s, which is not exported", card.architecture)
    import torch

    from cadsight_learning.checkpoint import load_state
    from cadsight_learning.families import detector_of

    if threads:
        torch.set_num_threads(threads)
    detector = detector_of(card.architecture, card.classes, card.image_size, torch.device(there))
    return detector.load(load_state(folder / WEIGHTS), folder / WEIGHTS)


@overload
def load_regressor(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: Literal["torch"] = "torch",
    tell: Callable[[str], None] = untold,
    threads: int = 0,
) -> "NormalRegressor": ...
@overload
def load_regressor(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = untold,
    threads: int = 0,
) -> Regressor: ...
def load_regressor(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = untold,
    threads: int = 0,
) -> Regressor:
    """The regressor of normals of a card, run as in :func:`load_detector`.

    Raises:
        CadsightError: when there is no such model, device or runtime, it is no regressor of normals, or its files do
            not fit together.
    """
    folder, card = _of_kind(name, models, "normals")
    there = device_name(device)
    chosen = runtime_of(runtime, there)
    given = (card.architecture, card.image_size, card.extra.get("covariance"), card.extra.get("temperature", 1.0))
    if chosen != "torch":
        from cadsight_learning.exported import ExportedRegressor

        return ExportedRegressor(_exported(folder, card, chosen, runtime == "auto", tell, threads), *given)
    import torch

    from cadsight_learning.checkpoint import load_state
    from cadsight_learning.normals import NormalRegressor

    if threads:
        torch.set_num_threads(threads)
    regressor = NormalRegressor(*given)
    regressor.load(load_state(folder / WEIGHTS), folder / WEIGHTS)
    regressor.module.to(there)
    return regressor


def _exported(
    folder: Path, card: ModelCard, runtime: str, may_stay: bool, tell: Callable[[str], None], threads: int
) -> "ExportedNetwork":
    from cadsight_learning.exported import ExportedNetwork

    return ExportedNetwork(replace(exports_of(folder, card), tell=tell), runtime, may_stay, threads)


def exports_of(folder: Path, card: ModelCard, out: str | Path | None = None) -> Exports:
    """The exports of the weights that the model in ``folder`` has now: there, else in the user's cache; or in ``out``.

    Raises:
        CadsightError: when the weights cannot be read.
    """
    colours = list(COLOURS) if card.kind == "normals" else [0.0, 1.0]
    about = {"kind": card.kind, "architecture": card.architecture, "classes": card.classes, "colours": colours}
    weights = sha256(folder / WEIGHTS)
    if out:
        return Exports(Path(out), weights, folder, about)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return Exports(folder / EXPORTS, weights, folder, about, spare=caches / "cadsight" / EXPORTS / weights[:16])


def version(folder: str | Path) -> str:
    """SHA-256 over the card and the weights of the model in ``folder``: other weights under the same name differ.

    Raises:
        CadsightError: when they cannot be read.
    """
    parts = "".join(sha256(Path(folder) / name) for name in (CARD, WEIGHTS))
    return hashlib.sha256(parts.encode()).hexdigest()


def fingerprint(samples: Iterable[Sample]) -> str:
    """SHA-256 over the names, labels and picture files of samples, whatever folder they lie in.

    Raises:
        CadsightError: when a picture is gone.
    """
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda s: s.name):
        labels = {**sample.to_json(), "image": sample.image.name}
        digest.update(json.dumps(labels, sort_keys=True, default=str).encode())
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


def _of_kind(name: str | Path, models: str | Path, kind: str) -> tuple[Path, ModelCard]:
    folder = find(name, models)
    card = load_card(folder)
    if card.kind != kind:
        raise CadsightError(f"the model {folder} is a model of kind {card.kind!r}, expected {kind!r}")
    return folder, card
