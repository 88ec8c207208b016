"""Which epoch is kept: the one whose images are most like real ones, among those whose labels hold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.sample import Sample
from cadsight_learning.similarity.extractors import Extractor
from cadsight_learning.similarity.features import kernel_distance
from cadsight_learning.training.phases import Callback, Trainer
from torch import Tensor, nn

from cadsight_generation.holding.check import LabelCheck, Verdict
from cadsight_generation.translation.model import Translates


@dataclass(frozen=True, eq=False)
class Validation:
    """Synthetic images to translate, real ones that training never saw, and the check of labels.

    Attributes:
        real: features (N, D) of the real images.
    """

    synthetic: Sequence[Sample]
    real: Any
    extractor: Extractor
    check: LabelCheck

    @staticmethod
    def of(
        synthetic: Sequence[Sample], held_out: Sequence[Sample], extractor: Extractor, check: LabelCheck
    ) -> "Validation":
        """Raises:
        CadsightError: for an image that cannot be read.
        """
        return Validation(synthetic, extractor.of(read_image(s.image) for s in held_out), extractor, check)

    def figures(self, translator: Translates) -> dict[str, float]:
        """``kid`` of the translated images to real ones, ``holding`` (the fraction whose labels hold), and the fraction
        that is refused by each reason."""
        images: list[Rgb] = []
        verdicts: list[Verdict] = []
        for sample in self.synthetic:
            before = read_image(sample.image)
            images.append(translator.translated(sample, before))
            verdicts.append(self.check.of_image(sample, before, images[-1]))
        refused = {reason for verdict in verdicts for reason in verdict.reasons}
        return {
            "kid": kernel_distance(self.extractor.of(images), self.real)["kid"],
            "holding": sum(v.holds for v in verdicts) / len(verdicts),
            **{f"refused_{r.replace(' ', '_')}": _share(verdicts, r) for r in sorted(refused)},
        }

    def untranslated(self) -> float:
        """The KID of the synthetic images as they are."""
        features = self.extractor.of(read_image(s.image) for s in self.synthetic)
        return float(kernel_distance(features, self.real)["kid"])


def _share(verdicts: Sequence[Verdict], reason: str) -> float:
    return sum(reason in v.reasons for v in verdicts) / len(verdicts)


def score_of(figures: Mapping[str, float], least_holding: float) -> float:
    """Higher is better: less KID where enough labels hold; below -1000 where they do not, by how many do."""
    if figures["holding"] >= least_holding:
        return -figures["kid"]
    return -1000.0 - (1.0 - figures["holding"])


class BestEpoch(Callback):
    """Evaluates each epoch; keeps ``score``, ``figures`` and weights of the best one, whose number is 0 at first."""

    name = "best"

    def __init__(
        self, generator: nn.Module, validation: Validation, translator: Translates, least_holding: float
    ) -> None:
        """``translator`` translates with ``generator``."""
        self.state: dict[str, Tensor] = {}
        self.epoch, self.best_score, self.score = 0, -math.inf, -math.inf
        self.figures: dict[str, float] = {}
        self._generator, self._validation, self._translator = generator, validation, translator
        self._least_holding = least_holding

    def after_epoch(self, trainer: Trainer) -> None:
        found = self._validation.figures(self._translator)
        self.score = score_of(found, self._least_holding)
        self.figures = {f"train/{name}": value for name, value in trainer.means().items()}
        self.figures |= {f"valid/{name}": value for name, value in found.items()}
        if self.score > self.best_score or not self.state:
            self.best_score, self.epoch = self.score, trainer.epoch
            self.state = {k: v.detach().cpu().clone() for k, v in self._generator.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        return {"state": self.state, "epoch": self.epoch, "score": self.best_score}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.state, self.epoch, self.best_score = dict(state["state"]), int(state["epoch"]), float(state["score"])
