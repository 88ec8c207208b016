"""What became of a session's images."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LabelReport:
    """What became of a session; ``labels.json`` holds the same.

    Attributes:
        labelled, rejected: folders of the two data sets.
        images: number of images with the part expected in them.
        accepted: number of images labelled.
        reasons: number of rejected images by kind.
        unreadable: names of images that could not be read and are in neither data set.
        correction: see :class:`cadsight_capture.hand_eye.correction.HandEyeCorrection`.
        statistics: mean, median, least and greatest of the differences of colour and kinematics.
        seconds: wall time of the run that made the labels.
    """

    labelled: Path
    rejected: Path
    images: int
    accepted: int
    reasons: dict[str, int]
    unreadable: tuple[str, ...]
    correction: dict[str, Any]
    statistics: dict[str, dict[str, float]]
    seconds: float

    @property
    def images_per_second(self) -> float:
        return self.images / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        data = asdict(self) | {"labelled": self.labelled.name, "rejected": self.rejected.name}
        data["rejected_images"] = sum(self.reasons.values()) + len(self.unreadable)
        data["images_per_second"] = round(self.images_per_second, 2)
        return data

    @staticmethod
    def from_json(folder: Path, data: Mapping[str, Any]) -> "LabelReport":
        keys = ("images", "accepted", "reasons", "correction", "statistics", "seconds")
        return LabelReport(
            labelled=folder / data["labelled"],
            rejected=folder / data["rejected"],
            unreadable=tuple(data["unreadable"]),
            **{key: data[key] for key in keys},
        )
