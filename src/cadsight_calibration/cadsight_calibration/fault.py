"""What is wrong in a set."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "no_image",
    "no_board",
    "cut_off",
    "other_board",
    "too_few",
    "blurred",
    "image_size",
    "exchanged",
    "same_image",
    "joint_reading",
    "does_not_fit",
    "mount_moved",
    "camera_moved",
    "board_size",
    "unexpected_place",
    "turned_base",
    "arm_model",
    "badly_determined",
]


@dataclass(frozen=True)
class Fault:
    """One fault that was found, with the images that it is about and a sentence for the user."""

    kind: Kind
    images: tuple[str, ...]
    sentence: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "images": list(self.images), "sentence": self.sentence}
