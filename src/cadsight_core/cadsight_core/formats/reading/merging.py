"""One data set made of several files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cadsight_core.datasets.derived import DerivedSamples
from cadsight_core.formats.reading.finding import Loaded
from cadsight_core.formats.reading.folders import sample_names
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.sample import Instance, Sample


def merged(parts: Sequence[Loaded], folder: Path, notes: Notes) -> Loaded:
    """The samples of all ``parts`` with the classes of all, each image once with the labels of all that name it."""
    classes = tuple(dict.fromkeys(name for part in parts for name in part.classes))
    samples: dict[Path, Sample] = {}
    files: dict[Path, Path | None] = {}
    twice: list[tuple[Path, Path | None, Path | None]] = []
    for part in parts:
        ids = [classes.index(name) for name in part.classes]
        for sample in part.samples:
            instances = tuple(replace(i, class_id=ids[i.class_id]) for i in sample.instances)
            file, first = notes.label_file_of(sample.name), samples.get(sample.image)
            if first is None:
                samples[sample.image] = replace(sample, instances=instances)
                files[sample.image] = file
                continue
            if first.split != sample.split:
                text = f"it stands in {first.split or 'none'} and in {sample.split or 'none'}, expected one split"
                notes.problem("image in two splits", sample.image, text)
            twice.append((sample.image, files[sample.image], file))
            samples[sample.image] = replace(first, instances=(*first.instances, *_new(instances, first.instances)))
    if twice:
        image, one, other = twice[0]
        where = f"{one} and {other}"
        text = f"{len(twice)} images are listed twice, the first in {where}: each is one image with the labels of both"
        notes.remark("image listed twice", image, text)
    images = [(s.split, s.image) for s in samples.values()]
    names = sample_names(images, folder)
    named = [replace(s, name=name) for s, name in zip(samples.values(), names, strict=True)]
    for sample in named:
        notes.label_file(sample.name, files[sample.image])
    extra: dict[str, Any] = next((part.extra for part in parts if part.extra), {})
    return Loaded(named, classes, parts[0].format, extra)


def one_class_a_name(loaded: Loaded, notes: Notes, path: Path) -> Loaded:
    """The set with each name of a class once, and the labels of all classes of that name."""
    if len(set(loaded.classes)) == len(loaded.classes):
        return loaded
    classes = tuple(dict.fromkeys(loaded.classes))
    ids = [classes.index(name) for name in loaded.classes]
    name = next(n for n in classes if loaded.classes.count(n) > 1)
    numbers = " and ".join(str(i) for i, n in enumerate(loaded.classes) if n == name)
    notes.remark("class name twice", path, f"the classes {numbers} are both called {name!r}: they are one class")

    def renumbered(number: int) -> Sample:
        sample = loaded.samples[number]
        return replace(sample, instances=tuple(replace(i, class_id=ids[i.class_id]) for i in sample.instances))

    return replace(loaded, samples=DerivedSamples(renumbered, range(len(loaded.samples))), classes=classes)


def _new(instances: Sequence[Instance], there: Sequence[Instance]) -> list[Instance]:
    known = {(i.class_id, i.box) for i in there}
    return [i for i in instances if (i.class_id, i.box) not in known]
