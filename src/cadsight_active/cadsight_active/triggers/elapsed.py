"""So much time."""

from dataclasses import dataclass

from cadsight_core.config.parameters import check, parameter

from cadsight_active.triggers.trigger import Alarm, Observed


@dataclass(frozen=True)
class ElapsedOptions:
    """When so much time has passed."""

    hours: float = parameter(24.0, "hours since the last cycle that begin another", minimum=0.001, maximum=100_000.0)

    def __post_init__(self) -> None:
        check(self)


class ElapsedTrigger:
    """Alarms when the first image comes that is so much later than the first since the last reset.

    Time is that of a clock that never goes back, so that a clock of the day that is set changes nothing.
    """

    def __init__(self, options: ElapsedOptions = ElapsedOptions()) -> None:
        self._options = options
        self._began: float | None = None
        self._silent = False

    def observe(self, image: Observed) -> Alarm | None:
        if self._began is None:
            self._began = image.monotonic_s
        hours = (image.monotonic_s - self._began) / 3600
        if self._silent or hours < self._options.hours:
            return None
        self._silent = True
        reason = f"{hours:.1f} hours have passed since the last cycle"
        return Alarm("elapsed", reason, hours, self._options.hours, (image.name,))

    def reset(self) -> None:
        self._began, self._silent = None, False
