"""What a generator learns before the few images that it is for: many drawn views of the same part.

Ten images do not say how a part looks from another side; its CAD file does. What is learned of it is kept when the
training goes on with the ten (Wang et al. 2018, transferring GANs; Mo et al. 2020, Freeze-D).
"""

from pathlib import Path

from cadsight_learning.registry.card import load_card
from cadsight_learning.registry.model_folder import CARD
from cadsight_learning.training.progress import Progress, silent

from cadsight_generation.data.growing import TrainingImages
from cadsight_generation.unconditional.model import TrainedGenerator, load_generator
from cadsight_generation.unconditional.options import GeneratorOptions
from cadsight_generation.unconditional.training import fit_generator, identity_of


def pretrained(
    drawn: TrainingImages, folder: str | Path, options: GeneratorOptions, progress: Progress = silent
) -> TrainedGenerator:
    """The generator that learned from ``drawn``: the one in ``folder`` where it is that very training's, else trained.

    Raises:
        CadsightError: as :func:`cadsight_generation.unconditional.training.fit_generator`.
    """
    if not _is_done(Path(folder), identity_of(drawn, options)):
        fit_generator(drawn, folder, options, progress)
    return load_generator(folder, "cpu")


def _is_done(folder: Path, identity: str) -> bool:
    return (folder / CARD).is_file() and load_card(folder).extra.get("identity") == identity
