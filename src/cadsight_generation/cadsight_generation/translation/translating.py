"""A labelled set in the look of another domain; images whose labels do not hold are left out and counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import read_image
from cadsight_core.running.progress import with_progress
from cadsight_core.sample import Sample
from cadsight_core.storage.append_log import AppendLog
from cadsight_core.storage.output_folder import refuse_foreign
from cadsight_learning.registry.provenance import content

from cadsight_generation.holding.check import LabelCheck, Verdict, refused_by_reason
from cadsight_generation.translation.model import Translates

REFUSED, _REFUSED_FORMAT = "refused.jsonl", "cadsight-refused-1"
_KEY = "translation"


@dataclass(frozen=True)
class Translated:
    """A set that was written.

    Attributes:
        refused: how many images were, by reason; one may have several.
        left_out: how many images in all.
    """

    dataset: Dataset
    refused: dict[str, int]
    left_out: int


def translate_set(
    samples: Sequence[Sample],
    classes: Sequence[str],
    translator: Translates,
    out: str | Path,
    check: LabelCheck,
) -> Translated:
    """Translate ``samples`` into the data set ``out``; one that was begun with the same translator is gone on with.

    Each sample keeps its labels, is of the origin 'translated', and its record names the model, its SHA-256, the source
    image and its SHA-256, and what the check measured. ``out/refused.jsonl`` names the images that were left out, and
    why.

    Raises:
        CadsightError: for no samples, another set in ``out``, an image that the translator did not learn from, and a
            disk that refuses the bytes.
    """
    if not samples:
        raise CadsightError("the data to translate have no images, expected at least one")
    dataset = _opened(out, classes, dict(translator.record))
    log = AppendLog(dataset.folder / REFUSED, _REFUSED_FORMAT)
    done = {str(entry["name"]) for entry in log.entries}
    for sample in with_progress(samples, len(samples), "images translated"):
        if sample.name in dataset or sample.name in done:
            continue
        before = read_image(sample.image)
        translator.check(sample, before)
        after = translator.translated(sample, before)
        verdict = check.of_image(sample, before, after)
        if verdict.holds:
            dataset.append(_translated(sample, translator, verdict), after)
        else:
            log.append({"name": sample.name, "reasons": list(verdict.reasons), **verdict.figures()})
    refused = [Verdict(tuple(entry["reasons"])) for entry in log.entries]
    return Translated(dataset, refused_by_reason(refused), len(refused))


def refuse_other_files(out: str | Path) -> None:
    """Refuse a folder that holds anything but a data set of ours.

    Raises:
        CadsightError: naming it.
    """
    if Dataset.is_one(out):
        Dataset.open(out)
    else:
        refuse_foreign(out, replace=False)


def _translated(sample: Sample, translator: Translates, verdict: Verdict) -> Sample:
    made = {
        **translator.record,
        "source": sample.name,
        "source_sha256": content(sample),
        "check": {name: round(value, 4) for name, value in verdict.figures().items()},
    }
    return replace(sample, image=Path(f"{sample.name}.png"), origin="translated", record={**sample.record, _KEY: made})


def _opened(out: str | Path, classes: Sequence[str], record: dict[str, Any]) -> Dataset:
    if Dataset.is_one(out):
        dataset = Dataset.open(out)
        if dataset.extra.get(_KEY) != record or dataset.classes != tuple(classes):
            raise CadsightError(f"{out} holds another data set, expected a new folder, or what this translator began")
        return dataset
    return Dataset.create(refuse_foreign(out, replace=False), classes, extra={_KEY: record})
