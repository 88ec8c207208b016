"""A few images of many: at random, or with normals that are far apart."""

from collections.abc import Sequence

import numpy as np

from cadsight_core.datasets.derived import DerivedSamples
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Sample

_RANDOM = 0x5E7


def random_sample(samples: Sequence[Sample], count: int, seed: int) -> Sequence[Sample]:
    """``count`` samples chosen at random, in their order; each is made when it is taken out.

    A smaller number of the same ``seed`` is a part of a larger one.

    Raises:
        CadsightError: when there are fewer.
    """
    _check(samples, count)
    numbers = np.random.default_rng([seed, _RANDOM]).permutation(len(samples))[:count]
    return DerivedSamples(lambda number: samples[number], sorted(numbers.tolist()))


def farthest_point_sample(samples: Sequence[Sample], count: int) -> Sequence[Sample]:
    """``count`` samples in their order whose normals lie far apart, made when taken out.

    The one nearest to the mean of all is taken first, then each time the farthest from those taken: Gonzalez'
    farthest-first traversal, which leaves no normal more than twice as far from its nearest as the best choice would.
    Of several normals in an image the first counts.

    Raises:
        CadsightError: when there are fewer, or an image has no normal.
    """
    _check(samples, count)
    found = [(s.name, next((i.normal for i in s.instances if i.normal is not None), None)) for s in samples]
    lacking = [name for name, normal in found if normal is None]
    if lacking:
        raise CadsightError(
            f"{len(lacking)} of {len(samples)} images have no normal, the first is {lacking[0]}, expected one in each"
        )
    normals = np.array([normal for _, normal in found], float)
    taken = [int(np.linalg.norm(normals - normals.mean(axis=0), axis=1).argmin())]
    distances = np.linalg.norm(normals - normals[taken[0]], axis=1)
    while len(taken) < count:
        # One that is taken never comes again, even among images of the same normal.
        distances[taken[-1]] = -1.0
        taken.append(int(distances.argmax()))
        distances = np.minimum(distances, np.linalg.norm(normals - normals[taken[-1]], axis=1))
    return DerivedSamples(lambda number: samples[number], sorted(taken))


def _check(samples: Sequence[Sample], count: int) -> None:
    if not 1 <= count <= len(samples):
        raise CadsightError(f"{count} images are to be taken of {len(samples)}, expected 1 to {len(samples)}")
