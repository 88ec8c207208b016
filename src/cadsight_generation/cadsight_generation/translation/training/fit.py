"""From two sets of images to a translator in a model's folder."""

import dataclasses
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample
from cadsight_learning.data.on_demand import training_bytes
from cadsight_learning.fit import described, identity_of
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.model_folder import STATE, refuse_foreign_model
from cadsight_learning.registry.provenance import LearnedFrom
from cadsight_learning.registry.store import code_version, now, save_model
from cadsight_learning.runtime.devices import device_of, out_of_memory_explained
from cadsight_learning.similarity.compare import some
from cadsight_learning.similarity.extractors import Extractor, ImageFeatures
from cadsight_learning.training.callbacks import Averages, Checkpoint, Clock, LearningRate, Samples
from cadsight_learning.training.curves import Curves, curve_files
from cadsight_learning.training.phases import Trainer
from cadsight_learning.training.progress import Progress, silent
from cadsight_learning.training.trainer import forget
from torch import Tensor

from cadsight_generation.holding.check import LabelCheck
from cadsight_generation.translation.domains.batches import CropPairs
from cadsight_generation.translation.domains.domain import Domain
from cadsight_generation.translation.model import KIND, Translator
from cadsight_generation.translation.objectives.agreement import Agreement, FrozenModel
from cadsight_generation.translation.objectives.objective import Objective
from cadsight_generation.translation.options import KINDS, TranslatorOptions
from cadsight_generation.translation.training.callbacks import Reports, Sheets, curve_row, falling, with_all_columns
from cadsight_generation.translation.training.choice import BestEpoch, Validation

# Of the training, over so many parts of its last steps weights are averaged.
_AVERAGED = 20


@dataclass(frozen=True, eq=False)
class Domains:
    """What a translator learns from, and what its epochs are chosen by.

    Attributes:
        held_out: real images that are not learned from.
        classes: names of the synthetic ones.
    """

    synthetic: Domain
    real: Domain
    held_out: Sequence[Sample]
    classes: Sequence[str]


def fit_translator(
    domains: Domains,
    folder: str | Path,
    options: TranslatorOptions,
    progress: Progress = silent,
    check: LabelCheck | None = None,
    frozen: Sequence[FrozenModel] = (),
    extractor: Extractor | None = None,
) -> ModelCard:
    """Train a translator; of its epochs keep the one of least KID to held-out real images, among those in which
    ``least_holding`` of the labels hold, else the one in which the most do.

    Called again after a kill with the same arguments it goes on after the last whole epoch, to the same bytes.

    Args:
        check: of labels, without it that of the silhouettes alone.
        frozen: models that are to say the same before and after.
        extractor: of the features that KID compares, without it those of
            :class:`cadsight_learning.similarity.extractors.ImageFeatures`.

    Raises:
        CadsightError: for a folder with files of others under our names, fewer than two held-out images, a device that
            cannot be had or whose memory does not suffice, and a loss that is no number before a first epoch is done.
    """
    folder = Path(folder)
    refuse_foreign_model(folder)
    if len(domains.held_out) < 2:
        raise CadsightError(f"{len(domains.held_out)} real images are held out, expected at least 2 to choose by")
    folder.mkdir(parents=True, exist_ok=True)
    kind, device = KINDS.named(options.kind), device_of(options.device)
    torch.manual_seed(options.seed)
    agreement = Agreement(frozen, device) if frozen else None
    objective: Objective = pkgutil.resolve_name(kind.build)(options, agreement)
    chosen_by = some(domains.synthetic.samples, options.validated)
    validation = Validation.of(chosen_by, domains.held_out, extractor or ImageFeatures(), check or LabelCheck())
    with out_of_memory_explained(f"batch {options.batch}, size {options.size}, width {options.width}"):
        for module in objective.modules():
            module.to(device)
        identity = _identity(domains, options, validation.check, [one.name for one in frozen])
        done = _run(objective, domains, validation, folder, options, progress, identity)
    card = _card(domains, options, done, validation.untranslated(), validation.extractor.name)
    learned = LearnedFrom.of([*domains.synthetic.samples, *domains.real.samples], domains.held_out, "")
    save_model(folder, card, done.state, learned, curves=curve_files(with_all_columns(done.rows)))
    forget(folder)
    return card


@dataclass(frozen=True)
class _Done:
    """A training that is over, and the epoch of it that is kept."""

    state: dict[str, Tensor]
    best_epoch: int
    rows: list[dict[str, float]]
    epochs: int
    seconds: float
    stopped: str


def _run(
    objective: Objective,
    domains: Domains,
    validation: Validation,
    folder: Path,
    options: TranslatorOptions,
    progress: Progress,
    identity: str,
) -> _Done:
    keep = training_bytes() // 2
    batches = CropPairs(
        domains.synthetic.canvases(options.longer, keep),
        domains.real.canvases(options.longer, keep),
        options.size,
        options.batch,
        options.epoch_steps,
        options.matched if domains.real.classes else 1,
    )
    averages = Averages({"generator": objective.generator}, max(options.epochs * options.epoch_steps // _AVERAGED, 1))
    shown: Any = averages.modules["generator"]
    translator = Translator(shown, options.longer, domains.synthetic.grey, domains.synthetic.meshes, {})
    sheets = Sheets(
        folder,
        some(domains.synthetic.samples, options.sheet_images),
        some(domains.held_out, options.sheet_images),
        translator,
    )
    sheets.files.refuse_foreign(options.epochs)
    clock, best = Clock(), BestEpoch(shown, validation, translator, options.least_holding)
    curves = Curves(folder, clock, lambda trainer: curve_row(best, trainer, options.batch), with_all_columns)
    phases = objective.phases()
    checkpoint = Checkpoint(folder / STATE, identity)
    trainer = Trainer(
        phases,
        batches,
        options.epoch_steps,
        options.epochs,
        options.seed,
        [
            averages,
            *objective.callbacks,
            best,
            clock,
            LearningRate({phase.name: options.learning_rate for phase in phases}, falling),
            Samples(sheets.write),
            curves,
            checkpoint,
            Reports(progress, clock, best),
        ],
    )
    checkpoint.resume(trainer)
    trainer.run()
    if not best.state:
        raise CadsightError(f"{trainer.stopped} before a first epoch was done, expected a lower learning rate")
    return _Done(best.state, best.epoch, curves.rows, trainer.epoch, clock.seconds, trainer.stopped)


def _identity(domains: Domains, options: TranslatorOptions, check: LabelCheck, frozen: Sequence[str]) -> str:
    settings = {name: value for name, value in dataclasses.asdict(options).items() if name != "device"}
    asked = [check.detector is not None, check.regressor is not None, dataclasses.asdict(check.limits), list(frozen)]
    return identity_of(_described(domains), settings, list(domains.classes), asked)


def _described(domains: Domains) -> dict[str, dict[str, object]]:
    return described(
        {"synthetic": domains.synthetic.samples, "real": domains.real.samples, "held_out": domains.held_out}
    )


def _card(domains: Domains, options: TranslatorOptions, done: _Done, untranslated: float, features: str) -> ModelCard:
    kind = KINDS.named(options.kind)
    best = next(row for row in done.rows if row["epoch"] == done.best_epoch)
    figures = {name.removeprefix("valid/"): value for name, value in best.items() if name.startswith("valid/")}
    return ModelCard(
        KIND,
        kind.name,
        tuple(domains.classes),
        options.longer,
        "new networks",
        _described(domains),
        dataclasses.asdict(options),
        figures,
        done.epochs,
        done.best_epoch,
        round(done.seconds, 1),
        done.stopped,
        code_version(),
        now(),
        {
            "grey": domains.synthetic.grey,
            "generator": {
                "width": options.width,
                "blocks": options.blocks,
                "demodulated": kind.demodulated,
                "conditioned": kind.conditioned,
            },
            "images_seen": int(done.rows[-1]["images_seen"]),
            "untranslated_kid": untranslated,
            "features": features,
            "labels_hold": figures["holding"] >= options.least_holding,
        },
    )
