"""Which images a model learned from, known by their content: it is not evaluated on those.

FOLDER/NAME/learned_from.json lies beside the model's card; models of earlier versions have none.
"""

import hashlib
import os
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.storage.documents import read_document
from cadsight_core.storage.json_text import json_text

LEARNED_FROM = "learned_from.json"
LEARNED_FROM_FORMAT = "cadsight-learned-from-1"
# Of a SHA-256: two of a million images share them with a probability of 3e-8.
_DIGITS = 16


@dataclass(frozen=True)
class LearnedFrom:
    """Images that made a model, each by the first 16 hex digits of the SHA-256 of its file.

    Attributes:
        train: those that its weights come from, with those of the model that it started from.
        valid: those by which the epoch was chosen.
    """

    train: tuple[str, ...]
    valid: tuple[str, ...]

    @staticmethod
    def of(train: Iterable[Sample], valid: Iterable[Sample], weights: str) -> "LearnedFrom":
        """What is learned from these samples and from ``weights``, which count where they lie beside such a list.

        Raises:
            CadsightError: for an image or a list that cannot be read.
        """
        before = load_learned_from(Path(weights).parent) if Path(weights).is_file() else None
        learned = {_short(content(s)) for s in train} | set(before.train if before else ())
        return LearnedFrom(tuple(sorted(learned)), tuple(sorted({_short(content(s)) for s in valid})))

    def to_bytes(self) -> bytes:
        """The bytes of the file."""
        return (json_text({"format": LEARNED_FROM_FORMAT, **asdict(self)}) + "\n").encode()


def load_learned_from(folder: str | Path) -> LearnedFrom | None:
    """What the model in ``folder`` learned from; None where that is not recorded, as by earlier versions.

    Raises:
        CadsightError: for a list that cannot be read or is not ours.
    """
    path = Path(folder) / LEARNED_FROM
    if not os.path.lexists(path):
        return None
    data = read_document(path, LEARNED_FROM_FORMAT, "list of images")
    if not _is_list_of_images(data):
        raise CadsightError(f"{path} has the keys {sorted(data)}, expected train and valid, each a list of hex digits")
    return LearnedFrom(tuple(data["train"]), tuple(data["valid"]))


def content(sample: Sample) -> str:
    """SHA-256 of a sample's image file in hex digits.

    Raises:
        CadsightError: when the image is gone.
    """
    try:
        stat = sample.image.stat()
        return _digest(sample.image, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise CadsightError(f"the image {sample.image} of {sample.name} could not be read: {error.strerror}") from error


@lru_cache(maxsize=100_000)
def _digest(path: Path, changed_ns: int, size: int) -> str:
    """Kept while the file stays as it is: one training asks for each image several times."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def by_content(samples: Iterable[Sample]) -> dict[str, Sample]:
    """Samples by the content of their images."""
    return {content(s): s for s in samples}


def shared(samples: Iterable[Sample], others: Mapping[str, Sample]) -> list[tuple[Sample, Sample]]:
    """Those of ``samples`` whose image is among ``others`` (see :func:`by_content`), each with its twin there."""
    twins = ((s, others.get(content(s))) for s in samples)
    return [(s, twin) for s, twin in twins if twin is not None]


def refuse_shared(samples: Iterable[Sample], learned: str, others: Mapping[str, Sample], tested: str) -> None:
    """Refuse to learn from ``samples``, the set named ``learned``, where they share an image with ``others`` (see
    :func:`by_content`), the set named ``tested``.

    Raises:
        CadsightError: naming such an image; and for one that cannot be read.
    """
    for sample, twin in shared(samples, others)[:1]:
        raise CadsightError(
            f"the image {twin.name} of {tested} is {sample.name} of {learned}, expected images that training never saw"
        )


def refuse_learned(model: str | Path, samples: Sequence[Sample]) -> list[str]:
    """Refuse to evaluate the model in the folder ``model`` on images that it learned from.

    Returns:
        warnings about evaluating it on ``samples``: a sentence each.

    Raises:
        CadsightError: naming such an image; and for an image or a list that cannot be read.
    """
    known = load_learned_from(model)
    if known is None:
        return [
            f"{model} does not tell which images it learned from, as models of earlier versions, so that these may "
            "be among them"
        ]
    tracked = with_progress(samples, len(samples), "images compared with those learned from")
    found = [_short(content(s)) for s in tracked]
    train, valid = set(known.train), set(known.valid)
    learned = [s for s, digits in zip(samples, found, strict=True) if digits in train]
    if learned:
        raise CadsightError(
            f"{model} learned from {len(learned)} of the {len(samples)} images to evaluate it on, the first is "
            f"{learned[0].name} ({learned[0].image}), expected images that training never saw, such as those of "
            "another split or session"
        )
    chose = sum(digits in valid for digits in found)
    if not chose:
        return []
    return [
        f"by {chose} of the {len(samples)} images {model} was validated, so that its figures on them are too good: "
        "the epoch that is kept is the best there"
    ]


def refuse_validation(train: Sequence[Sample], valid: Sequence[Sample]) -> None:
    """Refuse images that are both training and validation images.

    Raises:
        CadsightError: naming such an image; and for one that cannot be read.
    """
    for sample, twin in shared(valid, by_content(train))[:1]:
        raise CadsightError(
            f"the image {sample.name} of the validation set ({sample.image}) is {twin.name} of the training set "
            f"({twin.image}), expected images that are not learned from"
        )


def copies(train: Sequence[Sample], valid: Sequence[Sample]) -> list[str]:
    """A sentence where images of one data set validate whose copies are learned from.

    Raises:
        CadsightError: for an image that cannot be read.
    """
    twins = shared(valid, by_content(train))
    return [
        f"{len(twins)} of the {len(valid)} images that validate are copies of such to train on, the first is "
        f"{sample.image}, a copy of {twin.image}"
        for sample, twin in twins[:1]
    ]


def _short(digest: str) -> str:
    return digest[:_DIGITS]


def _is_list_of_images(data: Mapping[str, Any]) -> bool:
    return data.keys() == {"train", "valid"} and all(
        isinstance(each, list)
        and all(isinstance(one, str) and len(one) == _DIGITS and set(one) <= set(string.hexdigits) for one in each)
        for each in data.values()
    )
