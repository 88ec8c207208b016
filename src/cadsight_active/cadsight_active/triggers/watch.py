"""All triggers of a deployment together."""

from collections.abc import Mapping, Sequence
from typing import Any

from cadsight_active.triggers.registry import TRIGGERS
from cadsight_active.triggers.trigger import Alarm, Observed, Trigger


class Watch:
    """Shows every image to every trigger.

    Args:
        names: of the triggers.
        options: of each by its name.

    Raises:
        CadsightError: for a name that is no trigger.
    """

    def __init__(self, names: Sequence[str], options: Mapping[str, Any]) -> None:
        kinds = [TRIGGERS.named(name) for name in names]
        self._triggers: dict[str, Trigger] = {kind.name: kind.new(options[kind.name]) for kind in kinds}
        self._silent: set[str] = set()

    def observe(self, image: Observed) -> list[Alarm]:
        """The alarms that this image is one too many for."""
        alarms = [alarm for one in self._triggers.values() if (alarm := one.observe(image)) is not None]
        self._silent |= {alarm.trigger for alarm in alarms}
        return alarms

    def reset(self) -> None:
        """All begin anew, as after a swap."""
        for trigger in self._triggers.values():
            trigger.reset()
        self._silent.clear()

    def reset_silent(self) -> None:
        """Those begin anew that gave alarm and are silent since."""
        for name in self._silent:
            self._triggers[name].reset()
        self._silent.clear()
