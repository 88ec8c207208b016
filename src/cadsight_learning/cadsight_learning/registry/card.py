"""The card of a model, a file beside its weights."""

import dataclasses
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import read_document
from cadsight_core.storage.json_text import with_nan

from cadsight_learning.registry.model_folder import CARD, CARD_FORMAT

if TYPE_CHECKING:
    pass

# What JSON holds for a field of a card of each type, and what it is called.
_IN_JSON: dict[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    dict: ((dict,), "an object"),
    tuple: ((list,), "a list"),
}


@dataclass(frozen=True)
class ModelCard:
    """The card of a model: where it comes from and how good it is.

    Attributes:
        kind: 'detector' or 'normals'.
        image_size: longer side of an image, or side of a crop, in pixels as the network sees it.
        started_from: sentence on the weights that training started from.
        data: of each split its number of images and fingerprint.
        figures: on validation images, of the epoch that was kept.
        extra: what this kind needs besides, such as the regressor's covariance and temperature.
    """

    kind: str
    architecture: str
    classes: tuple[str, ...]
    image_size: int
    started_from: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0
    stopped: str = ""
    code: str = ""
    created: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def load_card(folder: str | Path) -> ModelCard:
    """The card of the model in ``folder``.

    Raises:
        CadsightError: when there is none, or it is not ours.
    """
    path = Path(folder) / CARD
    data = read_document(path, CARD_FORMAT, "model")
    known = {f.name for f in dataclasses.fields(ModelCard)}
    if not {"kind", "architecture", "classes", "image_size"} <= data.keys() <= known:
        raise CadsightError(f"the card {path} has the keys {sorted(data)}, expected {sorted(known)}")
    hints = typing.get_type_hints(ModelCard)
    for name, value in data.items():
        kinds, words = _IN_JSON[typing.get_origin(hints[name]) or hints[name]]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise CadsightError(f"the card {path} has {name} {value!r}, expected {words}")
    figures = with_nan(data.get("figures", {}))
    return ModelCard(**{**data, "classes": tuple(map(str, data["classes"])), "figures": figures})
