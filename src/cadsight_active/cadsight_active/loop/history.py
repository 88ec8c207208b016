"""What happened in a loop, in one file that only grows: alarms, batches, labels, trainings, gates, swaps."""

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from cadsight_core.errors import CadsightError
from cadsight_core.served import ServedNames
from cadsight_core.storage.append_log import AppendLog

from cadsight_active.gate import GateVerdict
from cadsight_active.triggers.trigger import Alarm

FORMAT = "cadsight-loop-1"
HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Triggered:
    """A cycle begins.

    Attributes:
        images: in the pool that are new.
        last: name of the newest of them; '' where there is none.
    """

    alarm: Alarm
    images: int
    last: str = ""


@dataclass(frozen=True)
class Noticed:
    """An alarm while a cycle was running already."""

    alarm: Alarm


@dataclass(frozen=True)
class BatchChosen:
    """What goes to be labelled.

    Attributes:
        batch: folder of the batch, relative to the loop's.
        learn: names in the pool of the images to learn from, which the strategy chose.
        audit: of those that were chosen at random and are held out for ever.
        notes: what is to be known of the batch.
    """

    batch: str
    learn: tuple[str, ...]
    audit: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labelled:
    """Labels came.

    Attributes:
        learn, audit: folders of the data sets, relative to the loop's; '' where there is none.
        images: how many of both.
        labels: boxes in both.
        left_out: images of the batch that nobody labelled; they are new again.
        audit_scores: of each audited image by its name, how well what was served did on it when it was seen, 0 to 1.
    """

    learn: str
    audit: str
    images: int
    labels: int
    left_out: tuple[str, ...] = ()
    audit_scores: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Learned:
    """A new model.

    Attributes:
        model: its name in the registry.
        sha256: of its files.
        began_from: the model whose weights it began with.
        images: that it learned from.
    """

    model: str
    sha256: str
    began_from: str
    images: int


@dataclass(frozen=True)
class Gated:
    """Whether the new model is better.

    Attributes:
        served, new: names of the models that were compared.
        answer: accept, keep or cannot tell.
        difference, low: of mAP50:95, and its lower bound; None where nothing can be said.
        images: that were held out.
    """

    served: str
    new: str
    answer: str
    reason: str
    images: int
    difference: float | None = None
    low: float | None = None

    @staticmethod
    def of(served: str, new: str, verdict: GateVerdict) -> "Gated":
        overall = verdict.overall
        return Gated(
            served,
            new,
            verdict.answer,
            verdict.reason,
            verdict.images,
            overall.value if overall else None,
            overall.low if overall else None,
        )


@dataclass(frozen=True)
class Swapped:
    """Other models serve.

    Attributes:
        why: gate; start for those that served first; outside where somebody else changed them.
    """

    served: ServedNames
    why: str


@dataclass(frozen=True)
class Ended:
    """A cycle ended without a swap, and why."""

    why: str


Event = Triggered | Noticed | BatchChosen | Labelled | Learned | Gated | Swapped | Ended
_KINDS: dict[str, type[Any]] = {
    "triggered": Triggered,
    "noticed": Noticed,
    "batch": BatchChosen,
    "labelled": Labelled,
    "learned": Learned,
    "gated": Gated,
    "swapped": Swapped,
    "ended": Ended,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Entry:
    """One line of the history.

    Attributes:
        cycle: from 1; 0 before the first.
        at: when, by the clock of the machine, ISO 8601 in UTC; the order is that of the lines, whatever clocks say.
    """

    cycle: int
    at: str
    event: Event


class History:
    """The history of the loop in ``folder``; for one process that writes.

    Raises:
        CadsightError: as :func:`read_history`.
    """

    def __init__(self, folder: str | Path) -> None:
        self._log = AppendLog(Path(folder) / HISTORY, FORMAT)
        self._entries = [_entry(data) for data in self._log.entries]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Oldest first."""
        return tuple(self._entries)

    @property
    def cycle(self) -> int:
        """The number of the last cycle that began; 0 before the first."""
        return max((entry.cycle for entry in self._entries), default=0)

    def of_cycle(self, kind: type[E], cycle: int | None = None) -> E | None:
        """The last event of a kind in a cycle, by default the last one."""
        number = self.cycle if cycle is None else cycle
        found = (e.event for e in reversed(self._entries) if e.cycle == number and isinstance(e.event, kind))
        return next(found, None)

    def every(self, kind: type[E]) -> list[E]:
        """All events of a kind, oldest first."""
        return [e.event for e in self._entries if isinstance(e.event, kind)]

    def add(self, event: Event) -> Entry:
        """Write an event; a :class:`Triggered` begins a cycle.

        Raises:
            CadsightError: when the disk refuses it.
        """
        cycle = self.cycle + isinstance(event, Triggered)
        at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        entry = Entry(cycle, at, event)
        self._log.append({"cycle": cycle, "at": at, "kind": _NAMES[type(event)], **asdict(event)})
        self._entries.append(entry)
        return entry


def read_history(folder: str | Path) -> tuple[Entry, ...]:
    """The history of the loop in ``folder``, oldest first.

    Raises:
        CadsightError: when there is none, or a line of it is of another form.
    """
    if not (Path(folder) / HISTORY).is_file():
        raise CadsightError(f"{folder} has no {HISTORY}, expected the folder of a loop")
    return History(folder).entries


def _entry(data: Mapping[str, Any]) -> Entry:
    fields = {name: value for name, value in data.items() if name not in ("cycle", "at", "kind")}
    try:
        kind = _KINDS[data["kind"]]
        if "alarm" in fields:
            fields["alarm"] = Alarm(**{**fields["alarm"], "images": tuple(fields["alarm"]["images"])})
        if kind is Swapped:
            fields["served"] = ServedNames(**fields["served"])
        event = kind(**{name: _tuples(value) for name, value in fields.items()})
        return Entry(int(data["cycle"]), str(data["at"]), event)
    except (KeyError, TypeError, ValueError) as error:
        raise CadsightError(f"a line of the history is {dict(data)}, expected an event of a loop") from error


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def in_words(event: Event) -> str:
    """An event as a line."""
    match event:
        case Triggered(alarm, images, _):
            return f"alarm, {alarm.trigger}: {alarm.reason}; {images} images of the pool are new"
        case Noticed(alarm):
            return f"another alarm, {alarm.trigger}: {alarm.reason}"
        case BatchChosen(batch, learn, audit, _):
            return f"batch {batch}: {len(learn)} images to learn from, {len(audit)} to be held out"
        case Labelled():
            left = f", {len(event.left_out)} left out" if event.left_out else ""
            return f"{event.images} images were labelled, {event.labels} labels{left}"
        case Learned():
            return f"{event.model} was trained from {event.began_from} on {event.images} images"
        case Gated():
            return (
                f"{event.new} beside {event.served} on {event.images} held-out images: {event.answer}; {event.reason}"
            )
        case Swapped(served, why):
            return f"generation {served.generation} serves, {served.detector} and {served.regressor} ({why})"
        case Ended(why):
            return f"the cycle ended: {why}"
