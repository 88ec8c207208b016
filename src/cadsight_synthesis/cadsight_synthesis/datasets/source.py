"""What a set is made of: images that are each a function of their number alone."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Protocol

from cadsight_core.config.parameters import by_first_names
from cadsight_core.parts.part import Part


@dataclass(frozen=True)
class EncodedSample:
    """A sample and its file as they travel between processes: JSON (masks as run lengths) and PNG."""

    sample: dict[str, Any]
    png: bytes


class ImageSource(Protocol):
    """What a set is made of: groups of images, each a function of its number alone. It can be sent to a process."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def parts(self) -> tuple[Part, ...]: ...

    @property
    def group(self) -> int:
        """Images that belong together, such as the views of one scene."""
        ...

    @property
    def identity(self) -> dict[str, Any]:
        """JSON that is the same for the same images."""
        ...

    def __call__(self, number: int) -> list[EncodedSample]:
        """The images of group ``number``."""
        ...


def recipe_identity(recipe: Any) -> dict[str, Any]:
    """Kind, name, seed and a digest of all that a recipe says (not of the files that it names)."""
    text = json.dumps(by_first_names(recipe), sort_keys=True, default=str, allow_nan=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"kind": recipe.kind, "name": recipe.name, "seed": recipe.seed, "recipe_sha256": digest}


def image_name(name: str, seed: int, number: int) -> str:
    """Name of image ``number`` of a recipe's set."""
    return f"{name}-{seed}-{number:06d}"
