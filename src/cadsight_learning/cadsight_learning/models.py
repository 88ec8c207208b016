"""Models by their name or folder, ready to predict."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from cadsight_core.errors import CadsightError
from cadsight_core.storage.cache import cache_path

from cadsight_learning.detection.families import family_of_architecture
from cadsight_learning.normals.regressor import COLOURS, Regressor
from cadsight_learning.options import MODELS_FOLDER
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.model_folder import WEIGHTS
from cadsight_learning.registry.store import find
from cadsight_learning.runtime.exports import EXPORTS, Exports, sha256, unreported
from cadsight_learning.runtime.machine import device_name
from cadsight_learning.runtime.sessions import Session, runtime_of

if TYPE_CHECKING:
    from torch import nn

    from cadsight_learning.detection.detector import Detector, TorchDetector
    from cadsight_learning.normals.torch_regressor import NormalRegressor
    from cadsight_learning.runtime.exported_network import ExportedNetwork

_log = logging.getLogger(__name__)


@overload
def load_detector(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: Literal["torch"] = "torch",
    tell: Callable[[str], None] = unreported,
    threads: int = 0,
) -> "TorchDetector": ...


@overload
def load_detector(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = unreported,
    threads: int = 0,
) -> "Detector": ...


def load_detector(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = unreported,
    threads: int = 0,
) -> "Detector":
    """The detector of the class that its card's architecture wants, on ``device`` (see :mod:`.devices`).

    Torch is not loaded where another runtime infers; that runtime loads its network, and raises what is wrong with it,
    at the first inference.

    Args:
        runtime: what infers (see :mod:`.runtimes`); with ``auto`` torch does where the network cannot be exported.
        tell: is called with the steps of an export (see :class:`cadsight_learning.runtime.exports.Exports`).
        threads: of one inference on the processor; 0: as many as torch takes. With torch all of torch uses them.

    Raises:
        CadsightError: when there is no such model, device or runtime, it is no detector, its files do not fit together,
            or ``runtime`` cannot run it.
    """
    folder, card = _of_kind(name, models, "detector")
    there = device_name(device)
    chosen = runtime_of(runtime, there)
    family = family_of_architecture(card.architecture)
    if chosen != "torch" and family.exportable:
        from cadsight_learning.detection.exported_detector import ExportedDetector

        network = _exported(folder, card, chosen, runtime == "auto", tell, threads)
        return ExportedDetector(card.architecture, card.classes, card.image_size, network)
    if chosen != "torch" and runtime != "auto":
        raise CadsightError(f"{card.architecture} cannot be exported, expected a YOLO detector, or the runtime torch")
    if chosen != "torch":
        _log.info("torch runs %s, which is not exported", card.architecture)
    import torch

    from cadsight_learning.detection.factory import detector_of
    from cadsight_learning.weights.checkpoint import load_state

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
    tell: Callable[[str], None] = unreported,
    threads: int = 0,
) -> "NormalRegressor": ...


@overload
def load_regressor(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = unreported,
    threads: int = 0,
) -> Regressor: ...


def load_regressor(
    name: str | Path,
    models: str | Path = MODELS_FOLDER,
    device: str = "auto",
    runtime: str = "torch",
    tell: Callable[[str], None] = unreported,
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
        from cadsight_learning.normals.exported_regressor import ExportedRegressor

        return ExportedRegressor(_exported(folder, card, chosen, runtime == "auto", tell, threads), *given)
    import torch

    from cadsight_learning.normals.torch_regressor import NormalRegressor
    from cadsight_learning.weights.checkpoint import load_state

    if threads:
        torch.set_num_threads(threads)
    regressor = NormalRegressor(*given)
    regressor.load(load_state(folder / WEIGHTS), folder / WEIGHTS)
    regressor.module.to(there)
    return regressor


def _exported(
    folder: Path, card: ModelCard, runtime: str, may_stay: bool, tell: Callable[[str], None], threads: int
) -> "ExportedNetwork":
    from cadsight_learning.runtime.exported_network import ExportedNetwork

    def in_torch() -> Session:
        from cadsight_learning.runtime import exporting

        return exporting.in_torch(exportable(folder, threads))

    return ExportedNetwork(replace(exports_of(folder, card), tell=tell), runtime, may_stay, in_torch, threads)


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
    return Exports(folder / EXPORTS, weights, folder, about, spare=cache_path(EXPORTS, weights[:16]))


def _of_kind(name: str | Path, models: str | Path, kind: str) -> tuple[Path, ModelCard]:
    folder = find(name, models)
    card = load_card(folder)
    if card.kind != kind:
        raise CadsightError(f"the model {folder} is a model of kind {card.kind!r}, expected {kind!r}")
    return folder, card


def exportable(folder: Path, threads: int = 0) -> "nn.Module":
    """The network of the model in ``folder``, on the processor: from images (N, 3, rows, columns) to a tensor, or a
    tuple of which it is the first (see :class:`cadsight_learning.detection.families.DetectorFamily`).

    ``threads`` are those of :func:`cadsight_learning.models.load_detector`.

    Raises:
        CadsightError: when its files do not fit together, or it is a detector that cannot be exported.
    """
    card = load_card(folder)
    if card.kind == "normals":
        return load_regressor(folder, device="cpu", threads=threads).exportable()
    if not family_of_architecture(card.architecture).exportable:
        raise CadsightError(f"{card.architecture} cannot be exported, expected a YOLO detector or a regressor")
    detector: Any = load_detector(folder, device="cpu", threads=threads)
    network: nn.Module = detector.exportable()
    return network
