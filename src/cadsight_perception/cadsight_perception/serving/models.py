"""Models by name, as the perception node serves them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cadsight_core.errors import CadsightError
from cadsight_core.served import ServedNames
from cadsight_learning.detection.detector import Detector, warm_up
from cadsight_learning.inference import Pipeline
from cadsight_learning.models import load_detector, load_regressor
from cadsight_learning.normals.regressor import Regressor
from cadsight_learning.registry.store import named, version
from cadsight_learning.runtime.exports import unreported

from cadsight_perception.parameters import PerceptionParameters

M = TypeVar("M", Detector, Regressor)


@dataclass(frozen=True)
class Loaded(Generic[M]):
    """A model as it was when it was loaded.

    Attributes:
        version: of its files (see :func:`cadsight_learning.registry.store.version`).
    """

    name: str
    version: str
    model: M


@dataclass(frozen=True)
class Served:
    """Two models, and the pipeline that infers with them.

    Attributes:
        generation: of these two (see :class:`cadsight_core.served.ServedNames`); 0 until they are served.
    """

    detector: Loaded[Detector]
    regressor: Loaded[Regressor]
    pipeline: Pipeline
    generation: int = 0

    @property
    def names(self) -> str:
        return f"{self.detector.name} and {self.regressor.name}"

    @property
    def named(self) -> ServedNames:
        return ServedNames(
            self.generation, self.detector.name, self.detector.version, self.regressor.name, self.regressor.version
        )

    @property
    def models(self) -> tuple[Loaded[Detector], Loaded[Regressor]]:
        return self.detector, self.regressor


def serve(
    detector: str,
    regressor: str,
    parameters: PerceptionParameters,
    current: Served | None = None,
    tell: Callable[[str], None] = unreported,
    warm: Iterable[Served] = (),
    try_first: Callable[[str, str], None] = lambda detector, regressor: None,
) -> Served:
    """Load and warm up the models ``detector`` and ``regressor`` of the registry.

    One that is served already is kept while its files are the same, and one whose name is empty in any case; it may be
    inferring in another thread meanwhile, and is not run here.

    Args:
        tell: is called with each step.
        warm: others that are loaded, and taken while their files are the same.
        try_first: is called with both names before anything is loaded, and not where nothing is; what it raises is
            passed on.

    Raises:
        CadsightError: for a name that is not in the registry, leads out of it, or is of the other kind.
    """
    models = Path(parameters.models_folder).expanduser()
    if not models.is_dir():
        raise CadsightError(f"the models_folder {models} does not exist, expected a folder of trained models")

    def load_finder(folder: Path) -> Detector:
        tell(f"loading the detector {folder.name}")
        loaded = load_detector(folder, runtime=parameters.runtime, tell=tell, threads=parameters.threads)
        warm_up(loaded, parameters.warm_up_width, parameters.warm_up_height, parameters.confidence)
        return loaded

    def load_measurer(folder: Path) -> Regressor:
        tell(f"loading the regressor {folder.name}")
        loaded = load_regressor(folder, runtime=parameters.runtime, tell=tell, threads=parameters.threads)
        loaded.warm_up()
        return loaded

    there = [one for one in (current, *warm) if one is not None]
    wanted = (
        _kept(detector, models, [one.detector for one in there]),
        _kept(regressor, models, [one.regressor for one in there]),
    )
    if current is not None and wanted == current.models:
        return current
    if any(isinstance(one, _New) for one in wanted):
        try_first(wanted[0].name, wanted[1].name)
    finder, measurer = _loaded(wanted[0], load_finder), _loaded(wanted[1], load_measurer)
    pipeline = Pipeline(finder.model, measurer.model, parameters.confidence, parameters.max_detections)
    return Served(finder, measurer, pipeline)


@dataclass(frozen=True)
class _New:
    """A model that is to be loaded."""

    name: str
    version: str
    folder: Path


def _kept(name: str, models: Path, there: Sequence[Loaded[M]]) -> "Loaded[M] | _New":
    """``there``: what is loaded, the one that is served first."""
    if there and not name:
        return there[0]
    folder = named(name, models)
    # Before it is loaded: files that are replaced meanwhile are another version the next time.
    files = version(folder)
    kept = next((one for one in there if (one.name, one.version) == (name, files)), None)
    return kept or _New(name, files, folder)


def _loaded(wanted: "Loaded[M] | _New", load: Callable[[Path], M]) -> Loaded[M]:
    return Loaded(wanted.name, wanted.version, load(wanted.folder)) if isinstance(wanted, _New) else wanted
