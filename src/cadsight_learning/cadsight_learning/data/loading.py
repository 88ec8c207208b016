"""Data sets given by the user, as one list of samples with one list of classes."""

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path

from cadsight_core.datasets.choice import random_sample
from cadsight_core.datasets.derived import DerivedSamples, end_to_end
from cadsight_core.errors import CadsightError
from cadsight_core.formats.health import unpaired
from cadsight_core.parts.part import Part
from cadsight_core.sample import Sample
from cadsight_core.shapes import is_crowd

from cadsight_core import formats

_VALID_FRACTION = 0.15


def load_together(
    paths: Sequence[str | Path],
    counts: Sequence[int] = (),
    seed: int = 0,
    reading: formats.Reading | None = None,
) -> tuple[Sequence[Sample], tuple[str, ...]]:
    """Samples of several data sets of any known format, read when they are taken out; classes are told apart by name.

    Args:
        counts: how many images are taken of each, 0 for all; they are chosen at random from those that are not for
            testing, and a smaller number of the same ``seed`` is a part of a larger one.
        reading: how they are read.

    Raises:
        CadsightError: when one cannot be read or has too few images, or none has labels.
    """
    loaded = [formats.load(path, reading) for path in paths]
    classes = tuple(dict.fromkeys(name for _, names in loaded for name in names))
    if not classes:
        raise CadsightError(f"{', '.join(map(str, paths))} have no classes, expected labelled images")
    sources = []
    for path, (found, names), count in zip(paths, loaded, counts or [0] * len(loaded), strict=True):
        taken = _sampled(found, count, seed, path) if count else found
        ids = [classes.index(name) for name in names]
        sources.append(_renamed(taken, ids, f"{Path(path).name}/" if len(paths) > 1 else ""))
    return end_to_end(*sources), classes


def load_images(paths: Sequence[str | Path], reading: formats.Reading | None = None) -> Sequence[Sample]:
    """The samples of several data sets of any known format, labelled or not; names that would come twice get their
    folder's name before them.

    Raises:
        CadsightError: when one cannot be read.
    """
    loaded = [formats.load(path, reading)[0] for path in paths]
    before = [f"{Path(path).name}/" if len(paths) > 1 else "" for path in paths]
    return [
        dataclasses.replace(s, name=name + s.name) for name, found in zip(before, loaded, strict=True) for s in found
    ]


def _renamed(samples: Sequence[Sample], ids: Sequence[int], before: str) -> Sequence[Sample]:
    """``samples`` with other class ids, and ``before`` before their names."""

    def make(number: int) -> Sample:
        sample = samples[number]
        instances = tuple(dataclasses.replace(i, class_id=ids[i.class_id]) for i in sample.instances)
        return dataclasses.replace(sample, instances=instances, name=before + sample.name)

    return DerivedSamples(make, range(len(samples)))


def dataset_warnings(
    paths: Sequence[str | Path],
    train: Sequence[Sample],
    classes: Sequence[str],
    reading: formats.Reading | None = None,
) -> list[str]:
    """Warnings about training on data sets: a sentence each.

    Images without labels are learned from as showing nothing where their format lists them and left out where it does
    not, label files without an image are left out, crowds are not learned from, and of a class without a label nothing
    is learned.
    """
    sentences = _lone(paths, train, "are learned from as showing nothing", reading)
    crowds = [s for s in train if any(map(is_crowd, s.instances))]
    if crowds:
        count = sum(is_crowd(i) for s in crowds for i in s.instances)
        sentences.append(f"{count} labels are crowds and not learned from, the first is in {crowds[0].image}")
    there = {i.class_id for s in train for i in s.instances if not is_crowd(i)}
    missing = [name for class_id, name in enumerate(classes) if class_id not in there]
    if missing:
        sentences.append(f"nothing is learned of {', '.join(missing)}: no image to train on has such a label")
    return sentences


def unlabelled(
    paths: Sequence[str | Path], validating: Sequence[Sample], reading: formats.Reading | None = None
) -> list[str]:
    """Warnings about evaluating on data sets: a sentence each.

    Images whose labels are missing count as showing nothing where their format lists them, and are left out where it
    does not; label files without an image are left out.
    """
    return _lone(paths, validating, "count as showing nothing", reading)


def parts_in(parts: Sequence[Part], names: Sequence[str]) -> list[Part]:
    """Each of ``parts`` with its index in the class ``names`` of a data set as its class id.

    Raises:
        CadsightError: for a part that is no class, or one that is given twice.
    """
    given = [part.name for part in parts]
    for position, name in enumerate(given):
        if name not in names:
            raise CadsightError(f"the part {name} is no class of the data, expected one of: {', '.join(names)}")
        if name in given[:position]:
            raise CadsightError(f"the part {name} is given twice, expected each once")
    return [dataclasses.replace(part, class_id=names.index(part.name)) for part in parts]


def _lone(
    paths: Sequence[str | Path], taken: Sequence[Sample], taken_as: str, reading: formats.Reading | None
) -> list[str]:
    """Sentences on images without labels, ``taken`` or not, and on labels and files that are left out."""
    images = {s.image for s in taken}
    lone: dict[str, list[Path]] = {}
    for problem in (p for path in paths for p in unpaired(path, reading)):
        if problem.kind == "label file without image":
            what = "label files without an image are left out"
        elif problem.loses:
            what = f"labels or files cannot be used and are left out ({problem.kind})"
        elif problem.file in images:
            what = f"images without labels {taken_as}"
        else:
            what = "images without labels are left out"
        lone.setdefault(what, []).append(problem.file)
    return [f"{len(files)} {what}, the first is {files[0]}" for what, files in lone.items()]


def _sampled(samples: Sequence[Sample], count: int, seed: int, path: str | Path) -> Sequence[Sample]:
    """``count`` of ``samples`` in their order, with no split: validation images are chosen among them later."""
    there = of_splits(samples, ("train", "valid", ""))
    if count > len(there):
        raise CadsightError(f"{count} images are to be taken of {path}, which has {len(there)}, expected fewer")
    taken = random_sample(there, count, seed)
    return DerivedSamples(lambda number: dataclasses.replace(taken[number], split=""), range(len(taken)))


def of_splits(samples: Sequence[Sample], splits: Collection[str]) -> Sequence[Sample]:
    """The samples of these splits, in their order, read when they are taken out."""
    return DerivedSamples(lambda number: samples[number], [n for n, s in enumerate(samples) if s.split in splits])


def chosen(samples: Sequence[Sample], split: str) -> list[Sample]:
    """Samples of a split, or all of them where ``split`` is ''.

    Raises:
        CadsightError: when the split has none.
    """
    kept = [s for s in samples if not split or s.split == split]
    if not kept:
        splits = sorted({s.split or "none" for s in samples})
        raise CadsightError(f"the data have no image in the split {split!r}, expected one of {', '.join(splits)}")
    return kept


def split_train_valid(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample], str]:
    """Training and validation samples, and a sentence on how they were split.

    By their split where some are marked 'valid' ('test' ones are left out); else of each folder of images the last
    15 % by name, one block, since neighbours look alike. A folder of one image is learned from.

    Raises:
        CadsightError: when there are too few to divide.
    """
    marked = of_splits(samples, ("valid",))
    if marked:
        return of_splits(samples, ("train", "")), marked, "by the splits in the data"
    rest = of_splits(samples, ("train", "valid", ""))
    if len(rest) < 2:
        raise CadsightError(f"the data have {len(rest)} images to train on, expected at least 2")
    folders: dict[Path, list[tuple[str, int]]] = {}
    for number, sample in enumerate(rest):
        folders.setdefault(sample.image.parent, []).append((sample.name, number))
    learned: list[int] = []
    validating: list[int] = []
    for named in folders.values():
        numbers = [number for _, number in sorted(named, key=lambda one: one[0])]
        first = max(min(len(numbers) - round(len(numbers) * _VALID_FRACTION), len(numbers) - 1), 1)
        learned += numbers[:first]
        validating += numbers[first:]
    if not validating:
        learned, validating = learned[:-1], learned[-1:]
    train, valid = (DerivedSamples(lambda number: rest[number], numbers) for numbers in (learned, validating))
    which = f"{len(valid)} of {len(rest)} images"
    if len(folders) == 1:
        return train, valid, f"the last {which} by name validate"
    return train, valid, f"the last by name of each of {len(folders)} folders validate, {which}"
