"""From a few images to a generator in a model's folder."""

import dataclasses
import pkgutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from cadsight_core.errors import CadsightError
from cadsight_learning.registry.card import ModelCard
from cadsight_learning.registry.model_folder import STATE, refuse_foreign_model
from cadsight_learning.registry.provenance import LearnedFrom
from cadsight_learning.registry.store import code_version, now, save_model
from cadsight_learning.runtime.devices import device_of, out_of_memory_explained
from cadsight_learning.runtime.precision import channels_last
from cadsight_learning.training.callbacks import Averages, Clock
from cadsight_learning.training.curves import Curves, curve_files
from cadsight_learning.training.phases import Callback, Trainer
from cadsight_learning.training.progress import Progress, silent
from cadsight_learning.training.trainer import forget
from torch import Tensor, nn

from cadsight_generation.data.growing import GENERATED, TrainingImages
from cadsight_generation.data.mirrors import mirrors_of
from cadsight_generation.networks.shape import NetworkShape
from cadsight_generation.unconditional.callbacks import FiniteCheckpoint, Growth, Reports, Sheets, curve_row
from cadsight_generation.unconditional.model import DIGITS, KIND, TrainedGenerator
from cadsight_generation.unconditional.options import KINDS, GeneratorOptions
from cadsight_generation.unconditional.steps import CRITIC, GENERATOR, Adversaries
from cadsight_learning import fit


def fit_generator(
    images: TrainingImages,
    folder: str | Path,
    options: GeneratorOptions,
    progress: Progress = silent,
    start: TrainedGenerator | None = None,
) -> ModelCard:
    """Train a generator on ``images``, from ``start`` on where it is given, and save its last epoch in ``folder``.

    Called again after a kill with the same arguments it goes on after the last whole epoch, to the same bytes. A loss
    or a weight that is no number ends the training; the last epoch before it is kept, and the card's ``stopped`` says
    so.

    Raises:
        CadsightError: for a folder with files of others under our names, ``start`` of another shape, a device that
            cannot be had or whose memory does not suffice, and a loss that is no number before a first epoch is done.
    """
    folder = Path(folder)
    refuse_foreign_model(folder)
    folder.mkdir(parents=True, exist_ok=True)
    identity = identity_of(images, options, start)
    if options.flips == "auto":
        options = dataclasses.replace(options, flips=mirrors_of(images.own))
    torch.manual_seed(options.seed)
    shape = shape_of(images, options)
    generator, critic = pkgutil.resolve_name(KINDS.named(options.kind).build)(shape)
    if start is not None:
        _go_on_from(start, generator, critic, shape, options)
    elif options.frozen:
        raise CadsightError(f"{options.frozen} layers are to be frozen in a new critic, expected a model to start from")
    z = torch.randn(options.sheet_images, options.z, generator=torch.Generator().manual_seed(options.seed))
    device = device_of(options.device)
    with out_of_memory_explained(f"batch {options.batch}, size {options.size}, width {options.width}"):
        for module in (generator, critic):
            module.to(device)
            channels_last(module)
        adversaries = Adversaries(generator, critic, images, options)
        done = _run(adversaries, images, z, folder, options, progress, identity)
    card = _card(images, options, start, done, identity)
    learned = LearnedFrom(tuple(sorted({c[:DIGITS] for c in _learned(images, start)})), ())
    save_model(folder, card, done.state, learned, curves=curve_files(done.rows))
    forget(folder)
    return card


def shape_of(images: TrainingImages, options: GeneratorOptions) -> NetworkShape:
    """Of the networks that learn from ``images``."""
    channels = images.own.pixels.shape[1]
    return NetworkShape(options.size, channels, options.width, options.z, penalised=options.penalty != "none")


@dataclass(frozen=True)
class _Done:
    """A training that is over.

    Attributes:
        state: the tensors of generator, critic and sheet.
    """

    state: dict[str, Tensor]
    rows: list[dict[str, float]]
    epochs: int
    seconds: float
    stopped: str


def _run(
    adversaries: Adversaries,
    images: TrainingImages,
    z: Tensor,
    folder: Path,
    options: GeneratorOptions,
    progress: Progress,
    identity: str,
) -> _Done:
    clock, checkpoint = Clock(), FiniteCheckpoint(folder / STATE, identity)
    curves = Curves(folder, clock, lambda trainer: curve_row(images, trainer, options.batch))
    shown: nn.Module = adversaries.generator
    averaging: list[Callback] = []
    if options.average_images:
        # A short training is averaged over its last tenth.
        images_averaged = min(options.average_images, options.images_seen // 10)
        averages = Averages({GENERATOR: adversaries.generator}, max(images_averaged // options.batch, 1))
        shown, averaging = averages.modules[GENERATOR], [averages]
    sheets = Sheets(folder, shown, z, images.own.aspect)
    sheets.files.refuse_foreign(options.epochs)
    reports = Reports(progress, clock, lambda: curves.rows[-1])
    trainer = Trainer(
        adversaries.phases(),
        adversaries.batches,
        options.epoch_steps,
        options.epochs,
        options.seed,
        [*averaging, Growth(images), clock, curves, sheets, checkpoint, reports],
    )
    checkpoint.resume(trainer)
    trainer.run()
    stopped = trainer.stopped
    if stopped:
        # The last whole epoch, in which all was well.
        if not (folder / STATE).exists():
            raise CadsightError(f"{stopped} and no epoch was done before, expected a lower learning rate")
        checkpoint.resume(trainer)
    state = {f"{GENERATOR}.{k}": v for k, v in shown.state_dict().items()}
    state |= {f"{CRITIC}.{k}": v for k, v in adversaries.critic.state_dict().items()}
    state = {k: v.detach().cpu().clone() for k, v in state.items()}
    return _Done({**state, "sheet.z": sheets.z}, curves.rows, trainer.epoch, clock.seconds, stopped)


def _go_on_from(
    start: TrainedGenerator, generator: nn.Module, critic: nn.Module, shape: NetworkShape, options: GeneratorOptions
) -> None:
    if start.card.architecture != options.kind or start.shape != shape:
        raise CadsightError(
            f"{start.folder} is a {start.card.architecture} of {start.shape}, expected a {options.kind} of {shape}"
        )
    generator.load_state_dict(start.generator.state_dict())
    critic.load_state_dict(start.critic.state_dict())
    layers = list(critic.layers)  # type: ignore[arg-type]
    if options.frozen > len(layers):
        raise CadsightError(f"{options.frozen} layers of the critic are to be frozen, expected at most {len(layers)}")
    # Mo et al. 2020, Freeze-D.
    for layer in layers[: options.frozen]:
        layer.requires_grad_(False)


def identity_of(images: TrainingImages, options: GeneratorOptions, start: TrainedGenerator | None = None) -> str:
    """What must be the same for a training to be gone on with: images that stay, options, and where it starts."""
    settings = {name: value for name, value in dataclasses.asdict(options).items() if name != "device"}
    return fit.identity_of(images.own.contents, images.own.label, settings, start.version if start else "")


def _learned(images: TrainingImages, start: TrainedGenerator | None) -> Sequence[str]:
    """Contents of all images that weights come from, those of ``start`` too."""
    return [*images.own.contents, *images.added, *(start.learned_from if start else ())]


def _card(
    images: TrainingImages, options: GeneratorOptions, start: TrainedGenerator | None, done: _Done, identity: str
) -> ModelCard:
    own, row = images.own, done.rows[-1]
    data: dict[str, Any] = {
        "images": len(own),
        "origins": dict(Counter(own.origins)),
        "contents": [c[:DIGITS] for c in own.contents],
        GENERATED: {"images": len(images.added), "contents": [c[:DIGITS] for c in images.added]},
    }
    return ModelCard(
        KIND,
        options.kind,
        (own.label,) if own.label else (),
        options.size,
        f"a continuation of {start.folder.name} ({start.version[:12]})" if start else "new networks",
        {"train": data},
        dataclasses.asdict(options),
        {name: value for name, value in row.items() if "/" in name},
        done.epochs,
        done.epochs,
        done.seconds,
        done.stopped,
        code_version(),
        now(),
        {
            "images_seen": int(row["images_seen"]),
            "aspect": own.aspect,
            "shape": dataclasses.asdict(shape_of(images, options)),
            "started_from": start.version if start else "",
            "identity": identity,
        },
    )
