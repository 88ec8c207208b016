"""What is known of an image that the pool is offered, and what it keeps of it."""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from cadsight_core.errors import CadsightError
from numpy.typing import NDArray

Floats = NDArray[np.floating]

State = Literal["new", "selected", "labelled", "audit"]
STATES: tuple[State, ...] = get_args(State)

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class Seen:
    """What perception made of one image: K detections, most confident first.

    Attributes:
        stamp_ns: of the image, by the camera's clock; it may go back.
        boxes: (K, 4) corners x0, y0, x1, y1 in pixels.
        scores: (K, C) of every class.
        object_features: (K, E) of the model; (K, 0) of one that has none.
        image_features: (D,) of the image as a whole; (0,) where there are none.
        model: SHA-256 of the weights that made scores and object features, 64 hexadecimal digits.
        image_model: the same of the network that made the image features, which may be one that is never trained.
    """

    stamp_ns: int
    boxes: Floats
    scores: Floats
    object_features: Floats
    image_features: Floats
    model: str
    image_model: str

    def __post_init__(self) -> None:
        for name in ("model", "image_model"):
            if not _SHA256.fullmatch(getattr(self, name)):
                raise CadsightError(f"the {name} is {getattr(self, name)!r}, expected a SHA-256 of 64 digits")
        count = len(self.boxes)
        if self.boxes.shape != (count, 4) or not (len(self.scores) == len(self.object_features) == count):
            raise CadsightError(
                f"an image has boxes {self.boxes.shape}, scores {self.scores.shape} and object features "
                f"{self.object_features.shape}, expected as many rows of each and boxes of 4 numbers"
            )
        if self.scores.ndim != 2 or self.object_features.ndim != 2 or self.image_features.ndim != 1:
            raise CadsightError(
                f"an image has scores {self.scores.shape}, object features {self.object_features.shape} and image "
                f"features {self.image_features.shape}, expected (K, C), (K, E) and (D,)"
            )
        for name in ("boxes", "scores", "object_features", "image_features"):
            # As they are kept: features beyond half precision would be infinite there.
            kept = np.float16 if name.endswith("features") else np.float32
            with np.errstate(over="ignore"):
                finite = np.isfinite(np.asarray(getattr(self, name)).astype(kept)).all()
            if not finite:
                raise CadsightError(f"the {name} of an image hold a number that is none, expected finite ones")


@dataclass(frozen=True)
class Why:
    """Why an image is kept.

    Attributes:
        reason: one sentence.
        uncertainty: of the model, 0 to 1.
        novelty: cosine distance of its strangest object to the nearest that is known; 0 without objects.
        value: how informative it is; of several the least goes first.
    """

    reason: str
    uncertainty: float
    novelty: float
    value: float


@dataclass(frozen=True, eq=False)
class Record:
    """An image of the pool.

    Attributes:
        number: grows with each image, whatever a clock says.
        came_ns: when it was kept, by the clock of this machine, which may go back.
        sha256: of the image's file.
        image_slot: where its features are among those of its ``image_model``; -1 where there are none.
        object_slots: (K,) where those of its detections are; (0,) where there are none.
    """

    number: int
    stamp_ns: int
    came_ns: int
    sha256: str
    bytes: int
    model: str
    image_model: str
    why: Why
    state: State
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    image_slot: int
    object_slots: NDArray[np.int32]


def sha256_of(data: bytes) -> str:
    """Of the bytes of a file."""
    return hashlib.sha256(data).hexdigest()
