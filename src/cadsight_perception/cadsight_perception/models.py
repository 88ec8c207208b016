"""Models by name, as the perception node serves them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cadsight_core.errors import CadsightError
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
    """Two models, and the pipeline that infers with them."""

    detector: Loaded[Detector]
    regressor: Loaded[Regressor]
    pipeline: Pipeline

    @property
    def names(self) -> str:
        return f"{self.detector.name} and {self.regressor.name}"


def serve(
    detector: str,
    regressor: str,
    parameters: PerceptionParameters,
    current: Served | None = None,
    tell: Callable[[str], None] = unreported,
) -> Served:
    """Load and warm up the models ``detector`` and ``regressor`` of the registry.

    One that is served already is kept while its files are the same, and one whose name is empty in any case; it may be
    inferring in another thread meanwhile, and is not run here.

    Args:
        tell: is called with each step.

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

    finder = _kept_or_loaded(detector, models, current.detector if current else None, load_finder)
    measurer = _kept_or_loaded(regressor, models, current.regressor if current else None, load_measurer)
    if current is not None and finder is current.detector and measurer is current.regressor:
        return current
    pipeline = Pipeline(finder.model, measurer.model, parameters.confidence, parameters.max_detections)
    return Served(finder, measurer, pipeline)


def _kept_or_loaded(name: str, models: Path, current: Loaded[M] | None, load: Callable[[Path], M]) -> Loaded[M]:
    if current is not None and not name:
        return current
    folder = named(name, models)
    # Before it is loaded: files that are replaced meanwhile are another version the next time.
    files = version(folder)
    if current is not None and (current.name, current.version) == (name, files):
        return current
    return Loaded(name, files, load(folder))
