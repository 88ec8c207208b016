"""How often generated images of which is known what they are get their colour."""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.formats import load
from cadsight_core.imaging.images import Rgb, read_image, write_image
from cadsight_core.running.progress import progress_to
from cadsight_core.sample import Sample
from cadsight_generation.sorting.options import COLOURS, SortingOptions
from cadsight_generation.sorting.sorter import sort_images
from scipy.stats import binomtest

from cadsight_cli.benchmarks.generation.cell_crops import write_cell_crops
from cadsight_cli.benchmarks.generation.plants import COPIES, CORRUPTED, GENERATOR, MILD, Plant
from cadsight_cli.progress import counted

Show = Callable[[str, dict[str, Any]], None]
_SIZES = (10, 20, 150)
_OTHER_LAMP = 100_000
# What is planted in images that the generator learned from; the rest in real ones that nobody else uses.
_IN_TRAINING: Mapping[str, Plant] = {**COPIES, **GENERATOR}
_IN_NEW: Mapping[str, Plant] = {"new real": lambda image, _other, _rng: image, **CORRUPTED, **MILD}


@dataclass(frozen=True)
class SortingBenchmark:
    """Real images divided into trained on, held out and new; copies are planted in the first, faults in the last."""

    data: str = parameter("", "folder of images of one part; empty: crops of a simulated cell")
    other: str = parameter("", "folder of images of another session")
    trials: int = parameter(2, "divisions for each size of a training set", minimum=1)
    each: int = parameter(20, "images of each kind in a trial", minimum=2)
    held_out: int = parameter(40, "real images that say what is usual", minimum=19)
    most: int = parameter(150, "largest training set that is tried", minimum=2)
    seed: int = parameter(0, "of the cell and the divisions", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)

    def run(self, show: Show) -> dict[str, dict[str, Any]]:
        """Of each kind of image how many got each colour, with the 95 % interval of Clopper and Pearson (1934) of the
        fraction that got the one that is asked for.

        Raises:
            CadsightError: for too few images to divide.
        """
        with tempfile.TemporaryDirectory(prefix="cadsight_sorting_") as name, progress_to(counted):
            pool, session = self._images(Path(name))
            sizes = [n for n in _SIZES if n <= self.most and n + self.held_out + self.each <= len(pool)]
            if not sizes:
                needed = _SIZES[0] + self.held_out + self.each
                raise CadsightError(f"{len(pool)} images came, expected at least {needed} to divide")
            found: dict[str, dict[str, Any]] = {}
            for size in sizes:
                counts: dict[str, Counter[str]] = {}
                for trial in range(self.trials):
                    scratch = Path(name) / f"{size}-{trial}"
                    scratch.mkdir()
                    for kind, colours in self._trial(pool, session, size, trial, scratch).items():
                        counts.setdefault(kind, Counter()).update(colours)
                for kind, colours in counts.items():
                    row = f"{size} training images, {kind}"
                    found[row] = _figures(kind, colours)
                    show(row, found[row])
        return found

    def _images(self, folder: Path) -> tuple[Sequence[Sample], Sequence[Sample]]:
        if self.data:
            return load(self.data)[0], load(self.other)[0] if self.other else ()
        sets = []
        for name, count, lamp in (
            ("cell", min(self.most, _SIZES[-1]) + self.held_out + self.each, None),
            ("other", self.each, _OTHER_LAMP),
        ):
            (folder / name).mkdir()
            write_cell_crops(folder / name, count, self.seed, lamp if lamp is None else self.seed + lamp)
            sets.append(load(folder / name)[0])
        return sets[0], load(self.other)[0] if self.other else sets[1]

    def _trial(
        self, pool: Sequence[Sample], session: Sequence[Sample], size: int, trial: int, folder: Path
    ) -> dict[str, Counter[str]]:
        rng = np.random.default_rng([self.seed, size, trial])
        order = [pool[int(n)] for n in rng.permutation(len(pool))]
        train, held_out = order[:size], order[size : size + self.held_out]
        new = order[size + self.held_out :][: self.each]
        others = [session[int(n)] for n in rng.permutation(len(session))[: self.each]]
        planted: list[tuple[str, Rgb]] = [("another session", read_image(one.image)) for one in others]
        for sources, plants in ((train, _IN_TRAINING), (new, _IN_NEW)):
            for kind, plant in plants.items():
                for n in range(self.each):
                    image, other = (read_image(sources[k % len(sources)].image) for k in (n, n + 1))
                    planted.append((kind, plant(image, other, rng)))
        for n, (_, image) in enumerate(planted):
            write_image(folder / f"{n:05d}.png", image)
        sorting = sort_images(load(folder)[0], train, held_out, SortingOptions(seed=trial))
        kinds = {f"{n:05d}": kind for n, (kind, _) in enumerate(planted)}
        found: dict[str, Counter[str]] = {kind: Counter() for kind in dict.fromkeys(kinds.values())}
        for one in sorting.images:
            found[kinds[one.sample.image.stem]][one.colour] += 1
        return found


def _figures(kind: str, colours: Counter[str]) -> dict[str, Any]:
    """The counts, and how often that is which matters of this kind: red, not green, or yellow."""
    images = sum(colours.values())
    asked = "green" if kind in CORRUPTED else "yellow" if kind in MILD else "red"
    interval = binomtest(colours[asked], images).proportion_ci(0.95, method="exact")
    counts: dict[str, int] = {colour: colours[colour] for colour in COLOURS}
    return {**counts, f"{asked}_fraction": colours[asked] / images, "low": interval.low, "high": interval.high}
