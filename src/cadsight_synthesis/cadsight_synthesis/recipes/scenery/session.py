"""What a captured session says about its cell: where the camera hangs, how it is lit, what colour the part has."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.images import read_image
from cadsight_core.sample import Sample
from cadsight_core.storage.folders.session_folder import SessionFolder

from cadsight_synthesis.rendering.colour import to_linear
from cadsight_synthesis.rendering.scene import Colour

# Images from which the part's colour is taken.
_LOOKED_AT = 12


@dataclass(frozen=True, eq=False)
class Session:
    """A captured session, in metres in the robot's base_link.

    Attributes:
        cameras: lens and base_from_camera of its images, each kind once.
        background: (H, W, 3) image of the empty cell, where there is one, linear.
        colours: of each class in the light of the cell, linear, as a fraction of what is white; from labelled images.
        poses: base_from_part of each class in labelled images.
    """

    folder: Path
    cameras: tuple[tuple[Camera, Pose], ...]
    background: Array | None
    colours: dict[int, Colour] = field(default_factory=dict)
    poses: dict[int, tuple[Pose, ...]] = field(default_factory=dict)


@lru_cache(maxsize=4)
def read_session(folder: str) -> Session:
    """Read a session as `cadsight capture` leaves it: ``raw``, ``labelled`` and ``background.png``; or one data set.

    Raises:
        CadsightError: when there is no data set, or no image in it has a camera and its pose.
    """
    path = Path(folder)
    session_folder = SessionFolder(path)
    sets = [d for d in (session_folder.raw, session_folder.labelled, path) if (d / "manifest.jsonl").is_file()]
    if not sets:
        raise CadsightError(f"{path} is no captured session, expected raw/ or a data set in it")
    samples = [s for d in sets for s in Dataset.open(d)]
    seen: dict[str, tuple[Camera, Pose]] = {}
    for sample in samples:
        if sample.camera is not None and "base_from_camera" in sample.record:
            seen.setdefault(
                f"{sample.camera}{sample.record['base_from_camera']}",
                (sample.camera, Pose.from_json(sample.record["base_from_camera"])),
            )
    if not seen:
        raise CadsightError(f"no image in {path} says where its camera was, expected base_from_camera in its record")
    backgrounds = (session_folder.background, SessionFolder(path.parent).background)
    background = next((p for p in backgrounds if p.is_file()), None)
    empty = to_linear(read_image(background) / 255.0) if background is not None else None
    white = np.percentile(empty.reshape(-1, 3), 70, axis=0) if empty is not None else np.ones(3)
    labelled = [s for s in samples if s.instances]
    return Session(path, tuple(seen.values()), empty, _colours(labelled, white), _poses(labelled))


def _colours(samples: list[Sample], white: Array) -> dict[int, Colour]:
    found: dict[int, list[Array]] = {}
    for sample in samples[:: max(len(samples) // _LOOKED_AT, 1)]:
        image = to_linear(read_image(sample.image) / 255.0)
        for instance in sample.instances:
            if instance.mask is not None and instance.mask.any():
                # Lit faces: the darker half are shades and holes.
                pixels = image[instance.mask]
                bright = pixels[pixels.sum(axis=1) >= np.median(pixels.sum(axis=1))]
                found.setdefault(instance.class_id, []).append(np.median(bright, axis=0) / white)
    colours = {}
    for class_id, values in found.items():
        red, green, blue = np.clip(np.median(values, axis=0), 0, 1).tolist()
        colours[class_id] = (red, green, blue)
    return colours


def _poses(samples: list[Sample]) -> dict[int, tuple[Pose, ...]]:
    found: dict[int, list[Pose]] = {}
    for sample in samples:
        for instance in sample.instances:
            if instance.camera_from_part is not None and "base_from_camera" in sample.record:
                base_from_camera = Pose.from_json(sample.record["base_from_camera"])
                found.setdefault(instance.class_id, []).append(base_from_camera @ instance.camera_from_part)
    return {class_id: tuple(poses) for class_id, poses in found.items()}
