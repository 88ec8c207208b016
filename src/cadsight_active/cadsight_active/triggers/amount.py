"""So many new images."""

from dataclasses import dataclass

from cadsight_core.config.parameters import check, parameter

from cadsight_active.triggers.trigger import Alarm, Observed


@dataclass(frozen=True)
class AmountOptions:
    """When there are enough new images."""

    new_images: int = parameter(100, "new images in the pool that begin a cycle", minimum=1)

    def __post_init__(self) -> None:
        check(self)


class AmountTrigger:
    """Alarms when the pool has kept so many images since the last reset."""

    def __init__(self, options: AmountOptions = AmountOptions()) -> None:
        self._options = options
        self._count = 0

    def observe(self, image: Observed) -> Alarm | None:
        self._count += image.is_new
        limit = self._options.new_images
        if not image.is_new or self._count != limit:
            return None
        return Alarm("amount", f"{limit} new images are in the pool", float(limit), float(limit), (image.name,))

    def reset(self) -> None:
        self._count = 0
