"""What a run is asked for; kept in its folder, so that it goes on with the same."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cadsight_core.config.parameters import LARGEST_SEED, check, from_mapping, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.json_text import json_text


@dataclass(frozen=True)
class DemoSettings:
    """What ``cadsight demo`` makes."""

    train: int = parameter(200, "images of the training session", minimum=4, maximum=100_000)
    valid: int = parameter(30, "images of the validation session", minimum=2, maximum=100_000)
    test: int = parameter(60, "images of the test session", minimum=2, maximum=100_000)
    composed: int = parameter(200, "composed images of one to four parts", minimum=1, maximum=100_000)
    live_seconds: float = parameter(30.0, "seconds of looking live", minimum=2.0, maximum=3600.0)
    seed: int = parameter(
        0, "decides light, noise, calibration error, poses and training", minimum=0, maximum=LARGEST_SEED
    )
    # Work, not time: the same run gives the same models on a quick, a slow and a busy machine.
    detector_epochs: int = parameter(6, "passes over the detector's training images", minimum=1)
    detector_seconds: float = parameter(
        0.0, "time after which the detector's training is broken off; 0 for none", minimum=0.0
    )
    normals_epochs: int = parameter(80, "passes over the regressor's training crops", minimum=1)
    normals_seconds: float = parameter(
        0.0, "time after which the regressor's training is broken off; 0 for none", minimum=0.0
    )
    normals_drawn: int = parameter(0, "views drawn from the part's CAD that the regressor learns from too", minimum=0)
    normals_image_size: int = parameter(112, "side of a crop as the regressor sees it, pixels", minimum=32, maximum=448)
    lamp_moves_every: int = parameter(
        8, "motions of the training session after which its lamp is moved; 0 for never", minimum=0
    )
    square: bool = parameter(True, "make boxes 1:1 as in the paper")

    def __post_init__(self) -> None:
        check(self)


# Fewer images in a session would be too few to correct its hand-eye calibration from.
QUICK = {
    "train": 16,
    "valid": 14,
    "test": 14,
    "composed": 8,
    "live_seconds": 5.0,
    "detector_epochs": 1,
    "normals_epochs": 1,
    "normals_drawn": 8,
    "lamp_moves_every": 4,
}


def settings_of(given: Mapping[str, Any], path: Path) -> DemoSettings:
    """The settings of a run: those given, and else those with which the run was begun, kept at ``path``.

    Raises:
        CadsightError: for a value out of its range, or settings that cannot be read.
    """
    before = asdict(kept(path)) if path.exists() else {}
    return from_mapping(DemoSettings, before | dict(given), "the command line")


def kept(path: Path) -> DemoSettings:
    """The settings in a file.

    Raises:
        CadsightError: when it holds something else.
    """
    try:
        return from_mapping(DemoSettings, json.loads(path.read_text()), str(path))
    except (OSError, ValueError, TypeError) as error:
        raise CadsightError(f"{path} could not be read ({error}), expected the settings of a run") from error


def keep(settings: DemoSettings, path: Path) -> None:
    """Write the settings beside the run."""
    write_atomically(path, json_text(asdict(settings), indent=2) + "\n")


def is_quick(settings: DemoSettings) -> bool:
    """Whether a run is as small as ``--quick`` makes it, so that its figures mean nothing."""
    return all(getattr(settings, name) == value for name, value in QUICK.items())
