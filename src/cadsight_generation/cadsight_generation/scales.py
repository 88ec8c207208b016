"""How much work a training is: counted in images seen, by scales; read before anything heavy is imported."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from cadsight_core.config.parameters import from_mapping
from cadsight_core.errors import CadsightError
from cadsight_core.registered import Registered

T = TypeVar("T")


class Kind(Protocol):
    """A kind of model with options of its own."""

    @property
    def name(self) -> str: ...

    @property
    def defaults(self) -> Mapping[str, Any]: ...


K = TypeVar("K", bound=Kind)


class CountedInImages:
    """Options of a training that is over after ``images_seen`` images, with a sample sheet each ``epoch_images``."""

    batch: int
    images_seen: int
    epoch_images: int

    @property
    def epoch_steps(self) -> int:
        """Steps between two sheets."""
        return max(round(min(self.epoch_images, self.images_seen) / self.batch), 1)

    @property
    def epochs(self) -> int:
        """Sheets in all."""
        return max(round(self.images_seen / (self.epoch_steps * self.batch)), 1)


def scaled(
    cls: type[T],
    kinds: Registered[K],
    scales: Mapping[str, Mapping[str, Any]],
    scale: str,
    given: Mapping[str, Any],
    where: str,
) -> T:
    """Options of ``cls`` that are ``given``, else those of the kind, else those of the ``scale``.

    Raises:
        CadsightError: for an unknown scale or kind, and a value out of range.
    """
    if scale not in scales:
        raise CadsightError(f"the scale is {scale!r}, expected one of {', '.join(scales)}")
    (default,) = (f.default for f in dataclasses.fields(cls) if f.name == "kind")  # type: ignore[arg-type]
    kind = kinds.named(str(given.get("kind", default)))
    return from_mapping(cls, {**scales[scale], **kind.defaults, "kind": kind.name, **given}, where)
