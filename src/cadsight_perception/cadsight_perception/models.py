"""Models by name, as the perception node serves them."""

from dataclasses import dataclass
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_learning.detector import Detector, warm_up
from cadsight_learning.normals import NormalRegressor
from cadsight_learning.registry import load_detector, load_regressor, named

from cadsight_perception.parameters import PerceptionParameters
from cadsight_perception.pipeline import Pipeline


@dataclass(frozen=True)
class Served:
    """A pipeline and the names of its two models."""

    detector: str
    regressor: str
    pipeline: Pipeline


def serve(detector: str, regressor: str, parameters: PerceptionParameters, current: Served | None = None) -> Served:
    """Load and warm up the models ``detector`` and ``regressor`` of the registry; one served already is kept.

    One that is kept may be looking in another thread meanwhile, and is not run here.

    Raises:
        CadsightError: for a name that is not in the registry, leads out of it, or is of the other kind.
    """
    models = Path(parameters.models_folder).expanduser()
    if not models.is_dir():
        raise CadsightError(f"the models_folder {models} does not exist, expected a folder of trained models")
    same_detector = current is not None and current.detector == detector
    same_regressor = current is not None and current.regressor == regressor
    if current is not None and same_detector and same_regressor:
        return current
    kept = current.pipeline if current else None
    pipeline = Pipeline(
        kept.detector if kept and same_detector else _detector(named(detector, models), parameters),
        kept.regressor if kept and same_regressor else _regressor(named(regressor, models), parameters),
        parameters.confidence,
        parameters.max_detections,
    )
    return Served(detector, regressor, pipeline)


def _detector(folder: Path, parameters: PerceptionParameters) -> Detector:
    detector = load_detector(folder, runtime=parameters.runtime)
    warm_up(detector, parameters.warm_up_width, parameters.warm_up_height)
    return detector


def _regressor(folder: Path, parameters: PerceptionParameters) -> NormalRegressor:
    regressor = load_regressor(folder, runtime=parameters.runtime)
    regressor.warm_up()
    return regressor
