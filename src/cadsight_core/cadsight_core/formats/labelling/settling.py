"""Labels out of what people said of a batch: who wins where they differ, and where each label comes from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.formats.labelling.answers import Annotation, Answer, Drawn
from cadsight_core.formats.labelling.placing import placed
from cadsight_core.formats.labelling.tasks import Guess, Task, Tasks
from cadsight_core.imaging.images import orientation_of
from cadsight_core.sample import Instance, Sample, Source

# Nobody moves an edge by less on purpose, and tools round to as much.
SAME = 0.01
# A box that overlaps a guess so far is that guess, moved.
_MOVED = 0.5
State = Literal["labelled", "empty", "skipped", "not annotated"]


@dataclass(frozen=True)
class Settling:
    """How answers are taken.

    Attributes:
        enclose: whether the upright box around a turned one stands for it; else that is refused.
        allow_loss: whether what cannot be used is left out; else it is refused.
        all_checked: whether somebody looked at each image, also where the tool does not say so.
    """

    enclose: bool = False
    allow_loss: bool = False
    all_checked: bool = False


@dataclass(frozen=True)
class Conflict:
    """Where two differ about an image, and what holds.

    Attributes:
        between: ``model`` for a person against the guess, ``people`` for two of them.
    """

    image: str
    between: Literal["model", "people"]
    sentence: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.image}: {self.sentence}"


@dataclass(frozen=True)
class LabelAccount:
    """What became of each image of a batch, by name, and of its labels.

    Attributes:
        empty: looked at, with nothing there.
        skipped: looked at and put aside.
        not_annotated: of which nobody said anything yet.
        sources: how many labels are of each source.
        removed: guesses that people took away.
        left_out: what could not be used, a sentence each.
        remarks: what else is to be known, a sentence each.
    """

    labelled: tuple[str, ...]
    empty: tuple[str, ...]
    skipped: tuple[str, ...]
    not_annotated: tuple[str, ...]
    sources: Mapping[str, int]
    removed: int
    conflicts: tuple[Conflict, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: list(getattr(self, name)) for name in ("labelled", "empty", "skipped", "not_annotated")},
            "sources": dict(self.sources),
            "removed": self.removed,
            "conflicts": [c.to_json() for c in self.conflicts],
            "left_out": list(self.left_out),
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True)
class Settled:
    """The samples that are annotated, those with nothing on them among them, and the account of all."""

    samples: tuple[Sample, ...]
    classes: tuple[str, ...]
    account: LabelAccount


def settle(tasks: Tasks, answers: Sequence[Answer], settling: Settling | None = None) -> Settled:
    """The labels of a batch.

    Of several annotations of an image the one counts that is marked as chosen, else one with a change of the guess,
    else the last; every other that differs is reported as a conflict. A skipped one counts where there is no other.

    Raises:
        CadsightError: for labels of an image that is not among ``tasks``, of another class or a turned box, and for
            whatever of the answers cannot be used, unless ``settling`` allows it; when an image cannot be read.
    """
    return _Settler(tasks, answers, settling or Settling()).settled()


@dataclass(frozen=True)
class _Placed:
    """A label in pixels, with what the tool knew of it."""

    name: str
    box: Box
    drawn: Drawn


@dataclass
class _Settler:
    tasks: Tasks
    answers: Sequence[Answer]
    settling: Settling
    left_out: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    removed: int = 0
    untouched: int = 0

    @cached_property
    def classes(self) -> tuple[str, ...]:
        drawn = (d.name for a in self.answers for one in a.annotations if not one.skipped for d in one.drawn)
        return self.tasks.classes or tuple(sorted(set(drawn)))

    def settled(self) -> Settled:
        given = self._given()
        states: dict[str, State] = {}
        samples = []
        for task in self.tasks.each:
            state, instances = self._of_image(task, given.get(task.sample.name, []))
            states[task.sample.name] = state
            if state in ("labelled", "empty"):
                samples.append(replace(task.sample, instances=tuple(instances)))
        if self.untouched:
            self.remarks.append(
                f"{self.untouched} images come back with the guess as it was and no word that somebody looked, so they "
                "count as not annotated; --all-checked takes them"
            )
        sources: dict[str, int] = {}
        for instance in (i for s in samples for i in s.instances):
            sources[instance.source] = sources.get(instance.source, 0) + 1

        def named(state: State) -> tuple[str, ...]:
            return tuple(name for name, one in states.items() if one == state)

        account = LabelAccount(
            named("labelled"),
            named("empty"),
            named("skipped"),
            named("not annotated"),
            dict(sorted(sources.items())),
            self.removed,
            tuple(self.conflicts),
            tuple(self.left_out),
            tuple(self.remarks),
        )
        return Settled(tuple(samples), self.classes, account)

    def _refuse(self, sentence: str, way: str = "--allow-loss leaves it out") -> None:
        if not self.settling.allow_loss:
            raise CadsightError(f"{sentence}; {way}")
        self.left_out.append(sentence)

    def _given(self) -> dict[str, list[Answer]]:
        """The answers of each task by its name."""
        by_sha: dict[str, list[Task]] = {}
        by_name: dict[str, list[Task]] = {}
        for task in self.tasks.each:
            by_sha.setdefault(task.sha256, []).append(task)
            for name in {task.file_name, task.sample.name, task.sample.image.name}:
                by_name.setdefault(name, []).append(task)
        given: dict[str, list[Answer]] = {}
        for answer in self.answers:
            found = by_sha.get(answer.sha256, []) if answer.sha256 else []
            if not answer.sha256 or len(found) > 1:  # images that are alike to the byte are told apart by name
                named = next((by_name[n] for n in answer.names if n in by_name), [])
                found = [t for t in named if not found or t in found] or found[:1]
            if len(found) == 1:
                given.setdefault(found[0].sample.name, []).append(answer)
            elif answer.annotations:
                name = answer.names[0] if answer.names else answer.sha256
                what = "may be several images of the batch" if found else "is no image of the batch"
                self._refuse(f"{answer.where} has labels of {name!r}, which {what}, expected one of them")
        return given

    def _of_image(self, task: Task, answers: Sequence[Answer]) -> tuple[State, list[Instance]]:
        name = task.sample.name
        annotations = [one for answer in answers for one in answer.annotations]
        for fault in (f for answer in answers for f in answer.faults):
            self._refuse(fault)
        drafts = sum(answer.drafts for answer in answers)
        if drafts:
            self.remarks.append(f"{name} has {drafts} drafts that were not handed in and are not read")
        guesses = self._guesses(task, answers)
        candidates = []
        for one in annotations:
            if one.skipped:
                continue
            labels = self._labels(task, one.drawn)
            matched = matches(labels, guesses, self.classes)
            changed = any(s != "model-accepted" for _, s in matched) or _left(matched, guesses) != []
            if changed or one.finished or self.settling.all_checked:
                candidates.append((one, labels, matched, changed))
            else:
                self.untouched += bool(guesses)
        if not candidates:
            return ("skipped" if any(one.skipped for one in annotations) else "not annotated"), []
        # The last of equals wins.
        best = max(range(len(candidates)), key=lambda n: (*_rank(candidates[n][0], candidates[n][3]), n))
        winner, labels, matched, _ = candidates[best]
        for other in [one for one in annotations if one.skipped]:
            self._conflict(name, "people", f"{_who(other)} skipped it and {_who(winner)} did not, whose labels hold")
        for number, (other, theirs, _, _) in enumerate(candidates):
            if number != best and not _same_labels(labels, theirs):
                words = f"{_who(other)} has {len(theirs)} labels and {_who(winner)} {len(labels)}, not the same; the "
                self._conflict(name, "people", words + f"latter {'is' if len(labels) == 1 else 'are'} taken")
        return ("labelled" if labels else "empty"), self._instances(name, labels, matched, guesses)

    def _conflict(self, image: str, between: Literal["model", "people"], sentence: str) -> None:
        self.conflicts.append(Conflict(image, between, sentence))

    def _guesses(self, task: Task, answers: Sequence[Answer]) -> tuple[Guess, ...]:
        if self.tasks.knows_guesses:
            return task.guesses
        drawn = next((a.guesses for a in answers if a.guesses), ())
        known = [d for d in drawn if d.name in self.classes]
        return tuple(
            Guess(d.id, Instance(self.classes.index(d.name), box, score=d.score, source="model"))
            for d in known
            for box, _ in [placed(d, task.sample.size, self._orientation(task))]
        )

    def _orientation(self, task: Task) -> int:
        return orientation_of(task.sample.image)

    def _labels(self, task: Task, drawn: Sequence[Drawn]) -> list[_Placed]:
        labels = []
        size = task.sample.size
        # Most boxes are of the image as it is, whose file is not looked at then.
        plain = all(d.stated in (None, (size.width, size.height)) for d in drawn)
        orientation = 1 if plain else self._orientation(task)
        for one in drawn:
            where = f"a label of {task.sample.name!r}"
            if one.name not in self.classes:
                known = ", ".join(self.classes)
                self._refuse(f"{where} is of the class {one.name!r}, expected one of {known}")
                continue
            try:
                box, corners = placed(one, size, orientation)
            except CadsightError as error:
                self._refuse(f"{task.sample.name}: {error}")
                continue
            if corners is not None and not self.settling.enclose:
                turned = f"{where} is turned by {one.degrees:g} degrees, expected an upright box"
                self._refuse(turned, "--enclose takes the upright box around it, --allow-loss leaves it out")
                continue
            labels.append(_Placed(one.name, box, one))
        return labels

    def _instances(
        self, name: str, labels: Sequence[_Placed], matched: "Sequence[_Match]", guesses: Sequence[Guess]
    ) -> list[Instance]:
        instances = []
        for label, (guess, source) in zip(labels, matched, strict=True):
            class_id = self.classes.index(label.name)
            if guess is None:
                stated = label.drawn.source
                # Only where no guess is known is the tool's own word all there is.
                source = stated if stated is not None and not guesses and not self.tasks.knows_guesses else source
                score = label.drawn.score if source == "model-accepted" else None
                instances.append(Instance(class_id, label.box, score=score, source=source))
                continue
            before = guess.instance
            if source == "model-accepted":
                instances.append(replace(before, source=source if before.source == "model" else before.source))
                continue
            instances.append(Instance(class_id, label.box, source=source))
            if class_id != before.class_id:
                words = f"the guess {self.classes[before.class_id]!r} is said to be {label.name!r}, which holds"
                self._conflict(name, "model", words)
            else:
                overlap = before.box.iou(label.box)
                words = f"a guess of {label.name!r} was moved (IoU {overlap:.2f}), and the moved box holds"
                self._conflict(name, "model", words)
        for guess in _left(matched, guesses):
            self.removed += 1
            scored = "" if guess.instance.score is None else f" with a score of {guess.instance.score:.2f}"
            words = f"a guess of {self.classes[guess.instance.class_id]!r}{scored} was taken away, and is"
            self._conflict(name, "model", words)
        return instances


_Match = tuple[Guess | None, Source]


def matches(labels: "Sequence[_Placed]", guesses: Sequence[Guess], classes: Sequence[str]) -> list[_Match]:
    """The guess that each label was made from, None of a new one, and its source."""
    found: dict[int, _Match] = {}
    free = dict(enumerate(guesses))

    def pairs(*, ids: bool) -> Iterator[tuple[bool, float, int, int]]:
        """Pairs of a label and a guess that may be one, the equal ones first, then by overlap."""
        every = []
        for number, label in enumerate(labels):
            for index, guess in free.items():
                if number in found or (ids and label.drawn.id != guess.id):
                    continue
                same = _equal(label, guess.instance, classes)
                overlap = guess.instance.box.iou(label.box)
                if ids or same or overlap >= _MOVED:
                    every.append((same, overlap, number, index))
        return iter(sorted(every, key=lambda p: (-p[0], -p[1], p[2], p[3])))

    for ids in (True, False):
        for same, _, number, index in pairs(ids=ids):
            if number not in found and index in free:
                found[number] = (free.pop(index), "model-accepted" if same else "human-edited")
    return [found.get(number, (None, "human-drawn")) for number in range(len(labels))]


def _left(matched: Sequence[_Match], guesses: Sequence[Guess]) -> list[Guess]:
    taken = {id(guess) for guess, _ in matched}
    return [guess for guess in guesses if id(guess) not in taken]


def _equal(label: _Placed, guess: Instance, classes: Sequence[str]) -> bool:
    return label.name == classes[guess.class_id] and _same_box(label.box, guess.box)


def _same_box(one: Box, other: Box) -> bool:
    return all(abs(a - b) <= SAME for a, b in zip(one.as_tuple(), other.as_tuple(), strict=True))


def _same_labels(labels: Sequence[_Placed], others: Sequence[_Placed]) -> bool:
    left = list(others)
    for label in labels:
        twin = next((o for o in left if o.name == label.name and _same_box(o.box, label.box)), None)
        if twin is None:
            return False
        left.remove(twin)
    return not left


def _rank(annotation: Annotation, changed: bool) -> tuple[bool, bool, str]:
    return annotation.chosen, changed, annotation.at


def _who(annotation: Annotation) -> str:
    return annotation.by or "somebody"
