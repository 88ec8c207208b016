"""A cycle of the loop, step by step; where it stands is what the history says, so that a kill costs a step at most."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_core.served import ServedNames
from cadsight_learning.registry.card import load_card

from cadsight_active.loop.history import (
    BatchChosen,
    Ended,
    Event,
    Gated,
    History,
    Labelled,
    Learned,
    Noticed,
    Swapped,
    Triggered,
)
from cadsight_active.loop.labellers import Labeller
from cadsight_active.loop.steps.child import Work
from cadsight_active.pool.seen import Seen, State
from cadsight_active.triggers.trigger import Alarm


class SilentServerError(CadsightError):
    """What serves the models does not answer; it may later."""


class Images(Protocol):
    """The pool, as a cycle uses it. Names are those of its images."""

    def new(self, after: str = "") -> list[Sample]:
        """New images, without labels, the first that was kept first; those alone that came after one of this name."""

    def count_new(self, after: str = "") -> int:
        """How many these are; quick however many there are."""

    def last_new(self) -> str:
        """The name of the newest new image; '' where there is none."""

    def named(self, names: Sequence[str]) -> list[Sample]:
        """Images by their names, without labels."""

    def newest(self, count: int) -> list[Sample]:
        """So many images of any state that came last, without labels."""

    def know(self, described: Mapping[str, Seen]) -> int:
        """Keep what another model makes of images, by their names; of how many there was something to keep."""

    def mark(self, names: Sequence[str], state: State) -> None:
        """Set their state."""

    def score(self, labelled: Sample) -> float:
        """How well what was served did on an image when it was seen, 0 to 1."""


class Server(Protocol):
    """What serves the models."""

    def served(self) -> ServedNames:
        """What is served now.

        Raises:
            SilentServerError: when nobody answers.
        """

    def serve(self, detector: str) -> ServedNames:
        """Serve another detector of the registry.

        Raises:
            SilentServerError: when nobody answers.
            CadsightError: when it is refused.
        """


class Cycles:
    """The cycles of the loop in ``folder``.

    LOOP/history.jsonl    what happened
    LOOP/batches/NNN      what was chosen (`cadsight select explain` shows it)
    LOOP/labelled/NNN     a data set of what is learned from
    LOOP/audits/NNN       one of what is held out for ever

    Args:
        models: the registry; the model of cycle N is called ``loop-NNN``.
        earlier: data sets that the first model learned from.
        gather: after an alarm that speaks of something new, so many images that came since are waited for, and the
            batch is chosen of these; 0: of all there is, at once.
        recall: so many of the newest images are looked at with a model before it is served, so that the pool knows
            them by its features; 0: none.
    """

    def __init__(
        self,
        folder: Path,
        models: Path,
        earlier: Sequence[str],
        images: Images,
        labeller: Labeller,
        work: Work,
        server: Server,
        gather: int = 0,
        recall: int = 0,
    ) -> None:
        self.folder, self._models, self._earlier = folder, models, list(earlier)
        self._images, self._labeller, self._work, self._server = images, labeller, work, server
        self._gather, self._recall = gather, recall
        self.history = History(folder)
        # After a kill between two writes the pool learns what the history says.
        last = (self.history.of_cycle(kind) for kind in (Ended, Labelled, BatchChosen))
        if (event := next((one for one in last if one is not None), None)) is not None:
            self._mark(event)

    @property
    def runs(self) -> bool:
        """Whether a cycle is in hand."""
        return self._next() is not None

    @property
    def waits(self) -> Literal["", "images", "labels"]:
        """What the next step cannot be done without; '' for nothing that is known before."""
        step = self._next()
        if step == self._label:
            return "labels"
        return "images" if step == self._choose and self._gathers() else ""

    def notice(self, alarm: Alarm) -> None:
        """An alarm came: it begins a cycle, or is written down where one is in hand."""
        if self.runs:
            self.history.add(Noticed(alarm))
        else:
            self.history.add(Triggered(alarm, self._images.count_new(), self._images.last_new()))

    def changed_outside(self, served: ServedNames) -> None:
        """Others serve now and no gate decided that: at a start, or because somebody asked for it."""
        self.history.add(Swapped(served, "outside" if self.history.every(Swapped) else "start"))

    def step(self) -> Event | None:
        """Do the next step and write it down; None where there is none, or images or labels are not there yet.

        A step that cannot be done ends the cycle and says why; the models before go on.

        Raises:
            SilentServerError: when what serves does not answer; the same step comes next.
        """
        step = self._next()
        if step is None:
            return None
        try:
            event = step()
        except SilentServerError:
            raise
        except CadsightError as error:
            event = Ended(str(error))
        if event is not None:
            self.history.add(event)
            self._mark(event)
        return event

    def _next(self) -> "Callable[[], Event | None] | None":
        """What is to be done, by what the last cycle has of its steps."""
        of = self.history.of_cycle
        if not self.history.cycle or of(Ended) or self._swapped():
            return None
        gated = of(Gated)
        if gated is not None:
            return self._swap if gated.answer == "accept" else None
        if of(Learned):
            return self._compare
        if of(Labelled):
            return self._learn
        return self._label if of(BatchChosen) else self._choose

    def _after(self) -> str | None:
        """The image after which those came that a batch is chosen of; None for all of them."""
        triggered = self.history.of_cycle(Triggered)
        return triggered.last if triggered is not None and self._gather and triggered.alarm.is_new else None

    def _gathers(self) -> bool:
        after = self._after()
        return after is not None and self._images.count_new(after) < self._gather

    def _swapped(self) -> bool:
        swap = self.history.of_cycle(Swapped)
        return swap is not None and swap.why == "gate"

    def _choose(self) -> Event | None:
        if self._gathers():
            return None
        cycle = self.history.cycle
        served = self._server.served()
        named = f"batches/{cycle:03d}"
        model = self._models / served.detector
        pool = self._images.new(self._after() or "")
        return self._work.choose(pool, self._learned(), model, cycle, self.folder / named, named)

    def _label(self) -> Event | None:
        cycle, batch = self.history.cycle, self.history.of_cycle(BatchChosen)
        assert batch is not None
        classes = load_card(self._models / self._server.served().detector).classes
        images = self._images.named([*batch.learn, *batch.audit])
        answers = self._labeller.answers(images, cycle, classes)
        if answers is None:
            return None
        if not answers.samples:
            return Ended(f"none of the {len(images)} images of the batch was labelled, expected some")
        held = set(batch.audit)
        learn = [s for s in answers.samples if s.name not in held]
        audit = [s for s in answers.samples if s.name in held]
        return Labelled(
            self._written(f"labelled/{cycle:03d}", learn, classes),
            self._written(f"audits/{cycle:03d}", audit, classes),
            len(answers.samples),
            sum(len(s.instances) for s in answers.samples),
            answers.left_out,
            tuple((sample.name, self._images.score(sample)) for sample in audit),
        )

    def _learn(self) -> Event:
        cycle, served = self.history.cycle, self._server.served()
        model, out = self._models / served.detector, self._models / f"loop-{cycle:03d}"
        return self._work.learn(self._earlier, self._learned(), model, out, cycle)

    def _compare(self) -> Event:
        learned = self.history.of_cycle(Learned)
        assert learned is not None
        served = self._server.served().detector
        return self._work.compare(self._models / served, self._models / learned.model, self._audits())

    def _swap(self) -> Event:
        gated = self.history.of_cycle(Gated)
        assert gated is not None
        now = self._server.served()
        if now.detector not in (gated.served, gated.new):
            return Ended(f"{now.detector} serves now and {gated.new} was compared with {gated.served}")
        if now.detector != gated.new:
            self._look_again(self._models / gated.new)
            now = self._server.serve(gated.new)
        return Swapped(now, "gate")

    def _look_again(self, model: Path) -> None:
        """Have the pool know what it keeps by the features of the model that is served next."""
        samples = self._images.newest(self._recall)
        found = self._work.look_again(samples, model) if samples else []
        # None of a model without features.
        if found:
            self._images.know({sample.name: seen for sample, seen in zip(samples, found, strict=True)})

    def _mark(self, event: Event) -> None:
        if isinstance(event, BatchChosen):
            self._images.mark([*event.learn, *event.audit], "selected")
        batch = self.history.of_cycle(BatchChosen)
        if batch is None:
            return
        if isinstance(event, Labelled):
            left = set(event.left_out)
            self._images.mark([n for n in batch.learn if n not in left], "labelled")
            self._images.mark([n for n in batch.audit if n not in left], "audit")
            self._images.mark(event.left_out, "new")
        if isinstance(event, Ended) and self.history.of_cycle(Labelled) is None:
            self._images.mark([*batch.learn, *batch.audit], "new")

    def _learned(self) -> list[str]:
        return [str(self.folder / one.learn) for one in self.history.every(Labelled) if one.learn]

    def _audits(self) -> list[str]:
        return [str(self.folder / one.audit) for one in self.history.every(Labelled) if one.audit]

    def _written(self, named: str, samples: Sequence[Sample], classes: Sequence[str]) -> str:
        """A data set of ``samples``, which a kill leaves in part and a second call completes; its name."""
        if not samples:
            return ""
        dataset = Dataset.create(self.folder / named, classes, exist_ok=True)
        for sample in samples:
            if sample.name not in dataset:
                dataset.append_file(replace(sample, record={"batch": named}))
        return named
