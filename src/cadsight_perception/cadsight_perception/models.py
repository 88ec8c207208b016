"""Models by name, as the perception node serves them."""

from dataclasses import dataclass
from pathlib import Path

from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
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
    runtime = parameters.runtime
    pipeline = Pipeline(
        kept.detector if kept and same_detector else load_detector(named(detector, models), runtime=runtime),
        kept.regressor if kept and same_regressor else load_regressor(named(regressor, models), runtime=runtime),
        parameters.confidence,
        parameters.max_detections,
    )
    pipeline.warm_up(ImageSize(parameters.warm_up_width, parameters.warm_up_height))
    return Served(detector, regressor, pipeline)
