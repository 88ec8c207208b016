"""The hand-eye correction of a session that was labelled, for images that come later."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose


@dataclass(frozen=True, eq=False)
class SavedCorrection:
    """See :class:`cadsight_capture.hand_eye.correction.HandEyeCorrection`; none by default."""

    nominal_from_corrected: Pose = field(default_factory=Pose.identity)
    margin_px: float = 0.0

    def correct(self, camera_from_part: Pose) -> Pose:
        """A pose given by the calibration, as the corrected one gives it."""
        return self.nominal_from_corrected.inverse() @ camera_from_part


def load_correction(path: str | Path) -> SavedCorrection:
    """The correction in a ``labels.json``; one that was not applied there is none here.

    Raises:
        CadsightError: when the file is missing or holds something else.
    """
    try:
        data = json.loads(Path(path).read_text())["correction"]
        return SavedCorrection(Pose.from_json(data["nominal_from_corrected"]), float(data["margin_px"]))
    except OSError as error:
        raise CadsightError(f"the labels {path} could not be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CadsightError(
            f"the labels {path} hold no hand-eye correction ({error}), expected a labels.json"
        ) from error
