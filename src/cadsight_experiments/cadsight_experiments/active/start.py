"""The model that chooses first and that trainings go on from, and what they start from without it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_learning.data.loading import load_together, split_train_valid
from cadsight_learning.detection.detector import TorchDetector
from cadsight_learning.detection.factory import new_detector
from cadsight_learning.fit import fit_detector
from cadsight_learning.models import load_detector
from cadsight_learning.options import DetectorOptions
from cadsight_learning.pretraining.solids import KINDS
from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.model_folder import CARD, WEIGHTS
from cadsight_learning.registry.provenance import by_content, refuse_learned, refuse_shared
from cadsight_learning.registry.store import fingerprint
from cadsight_learning.runtime.exports import sha256
from cadsight_learning.training.progress import Progress, silent
from cadsight_learning.weights.shipped import shipped, start_of

from cadsight_experiments.active.training import content_of, digest


@dataclass(frozen=True, eq=False)
class Model:
    """A detector and its weights.

    Attributes:
        weights: what a training that goes on from it has as its option of this name.
        sha256: of the file of the weights.
    """

    detector: TorchDetector
    weights: str
    sha256: str


@dataclass(frozen=True, eq=False)
class Start:
    """What a comparison begins with.

    Attributes:
        name: what the base is, for the reader.
        base: the model that was made without the pool.
        own_classes: whether its classes are the parts', so that it can be evaluated as it is.
        without: the option ``weights`` of trainings that start without it.
    """

    name: str
    base: Model
    own_classes: bool
    without: str


def shipped_start(options: DetectorOptions) -> Start:
    """The base of drawn solids that comes with CADsight; without it trainings start from random weights.

    Raises:
        CadsightError: for a network that comes without one.
    """
    base = dataclasses.replace(options, weights="base")
    try:
        detector, _ = new_detector(KINDS, base)
        file = shipped(detector.architecture)
    except CadsightError as error:
        raise CadsightError(f"{error}; expected --base or --synthetic beside {options.family}") from error
    return Start("the shipped base of drawn solids", Model(detector, "base", sha256(file)), False, "scratch")


def given_start(folder: str | Path, options: DetectorOptions, tested: Sequence[Sample]) -> Start:
    """A trained detector; without it trainings start as ``options`` say.

    Raises:
        CadsightError: when there is none, or it learned from an image that is ``tested``.
    """
    folder = Path(folder)
    if not (folder / CARD).is_file() or (card := load_card(folder)).kind != "detector":
        raise CadsightError(f"there is no detector in {folder}, expected the folder of one")
    refuse_learned(folder, tested)
    model = trained(folder, options)
    if card.architecture != (own := new_detector(card.classes, _scratch(options))[0].architecture):
        raise CadsightError(f"the base {folder} is a {card.architecture}, expected a {own}, which is to be trained")
    return Start(str(folder), model, True, options.weights)


def synthetic_start(
    synthetic: str | Path,
    folder: str | Path,
    options: DetectorOptions,
    epochs: int,
    tested: Sequence[Sample],
    progress: Progress = silent,
) -> Start:
    """A detector that is trained on synthetic images and kept in ``folder``/KEY; called again it goes on where it was.

    KEY is made of what the training depends on.

    Raises:
        CadsightError: when the set cannot be read, or shares an image with those that are ``tested``, and whatever
            training raises.
    """
    samples, classes = load_together([synthetic])
    refuse_shared(samples, f"the synthetic set {synthetic}", by_content(tested), "the test set")
    train, valid, _ = split_train_valid(samples)
    how = dataclasses.replace(options, epochs=epochs, seed=0)
    known = content_of(how, weights_sha256(how.weights, new_detector(classes, _scratch(how))[0].architecture))
    folder = Path(folder) / digest(fingerprint(train), fingerprint(valid), known, classes)
    if not (folder / CARD).is_file():
        fit_detector(train, valid, classes, folder, how, progress)
    started = given_start(folder, options, tested)
    return dataclasses.replace(started, name=f"trained on {len(train)} synthetic images of {synthetic}")


def trained(folder: str | Path, options: DetectorOptions) -> Model:
    """The detector in the folder of a model, where ``options`` say that is computed.

    Raises:
        CadsightError: when it cannot be loaded.
    """
    weights = Path(folder) / WEIGHTS
    return Model(load_detector(folder, device=options.device), str(weights), sha256(weights))


def weights_sha256(words: str, architecture: str) -> str:
    """What weights an option names: the SHA-256 of their file, or the word itself where that is none of ours."""
    if start_of(words, architecture) == "base":
        return sha256(shipped(architecture))
    return sha256(Path(words)) if Path(words).is_file() else words


def _scratch(options: DetectorOptions) -> DetectorOptions:
    return dataclasses.replace(options, weights="scratch", device="cpu")
