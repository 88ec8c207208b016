"""Metrics of a regressor of normals on labelled images, and how a file keeps them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cadsight_core.storage.documents import taken_from

from cadsight_learning.metrics.bootstrap import Interval
from cadsight_learning.normals.calibration import Calibration

# Those that have an interval; the last two are fractions of angles under 5 and 10 degrees.
ANGLES = ("mean_deg", "median_deg", "p90_deg", "under_5_deg", "under_10_deg")
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class CropResult:
    """One crop of an image.

    Attributes:
        angle_deg: between the predicted normal and the true one, up to symmetry where that counts.
        vertical: the file's ``w`` = -z of the true normal in the camera's optical frame.
        concentration: of the predicted distribution.
        predicted, true: unit vectors in the camera's optical frame, the true one as it is labelled.
    """

    name: str
    image: str
    angle_deg: float
    vertical: float
    concentration: float
    predicted: Vector
    true: Vector

    def to_json(self) -> dict[str, Any]:
        known = asdict(self)
        return {"name": known.pop("name"), "picture": known.pop("image"), **known} | {
            "predicted": list(self.predicted),
            "true": list(self.true),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "CropResult":
        known = {name: value for name, value in data.items() if name != "picture"}
        vectors = {"predicted": tuple(data["predicted"]), "true": tuple(data["true"])}
        return CropResult(**{**known, "image": data["picture"], **vectors})


@dataclass(frozen=True, kw_only=True)
class NormalMetrics:
    """A regressor of normals on labelled crops.

    Attributes:
        mean_deg, median_deg, p90_deg: mean, median and 90th percentile of the angles between predicted and true.
        under_5_deg, under_10_deg: fractions of the angles that are smaller.
        intervals: of these, 95 %, images resampled.
        loss: equation 1 of Comillas.
        symmetric: how many of the ``crops`` were evaluated up to their part's symmetry.
        calibration: None in what earlier versions wrote.
    """

    mean_deg: float
    median_deg: float
    p90_deg: float
    under_5_deg: float
    under_10_deg: float
    intervals: Mapping[str, Interval]
    loss: float
    crops: int
    symmetric: int
    calibration: Calibration | None
    per_image: tuple[CropResult, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """Each of :data:`ANGLES` by its name."""
        return {name: getattr(self, name) for name in ANGLES}

    def to_json(self) -> dict[str, Any]:
        """What ``cadsight evaluate --json`` keeps, with keys that are figures' names."""
        return {
            **self.figures,
            "intervals": {name: list(pair) for name, pair in self.intervals.items()},
            "loss": self.loss,
            "crops": self.crops,
            "symmetric": self.symmetric,
            **({"calibration": self.calibration.to_json()} if self.calibration else {}),
            "per_image": [one.to_json() for one in self.per_image],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "NormalMetrics":
        """What :meth:`to_json` made; a null is a figure that is no number.

        Raises:
            CadsightError: for data of another form.
        """
        with taken_from("what is kept of a regressor", "what `cadsight evaluate` writes"):
            return NormalMetrics(
                mean_deg=_number(data["mean_deg"]),
                median_deg=_number(data["median_deg"]),
                p90_deg=_number(data["p90_deg"]),
                under_5_deg=_number(data["under_5_deg"]),
                under_10_deg=_number(data["under_10_deg"]),
                intervals={name: (_number(low), _number(high)) for name, (low, high) in data["intervals"].items()},
                loss=_number(data["loss"]),
                crops=int(data["crops"]),
                symmetric=int(data["symmetric"]),
                calibration=Calibration.from_json(data["calibration"]) if "calibration" in data else None,
                per_image=tuple(map(CropResult.from_json, data["per_image"])),
            )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
