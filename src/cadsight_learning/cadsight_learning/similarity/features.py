"""How far two sets are apart by the features of their images, and which image of one each of the other is like.

FID: Heusel et al., GANs trained by a two time-scale update rule, equation 6. KID: Binkowski et al., Demystifying MMD
GANs, section 4. Inception score: Salimans et al., Improved techniques for training GANs, section 4. All with a network
that is named beside them, not with Inception.
"""

from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from scipy.special import rel_entr

_PERMUTATIONS = 500


def frechet_distance(first: Array, second: Array) -> float:
    """Squared Fréchet distance of normal distributions fitted to features (N, D) and (M, D).

    With fewer images than features it comes out too large, the more so the fewer there are.

    Raises:
        CadsightError: for a set of fewer than two images.
    """
    _enough(first, second)
    a, b = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (first, second))
    # The trace of the root of both covariances' product is the sum of the singular values of a @ b.T, and of the
    # triangles of their QR as well: no root of a D x D matrix, which few images would leave singular.
    first_triangle, second_triangle = (np.asarray(np.linalg.qr(x, mode="r")) for x in (a, b))
    crossed = np.linalg.svd(first_triangle @ second_triangle.T, compute_uv=False).sum()
    moved = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    return float(max(moved + (a**2).sum() + (b**2).sum() - 2 * crossed, 0.0))


def kernel_distance(first: Array, second: Array, seed: int = 0) -> dict[str, float]:
    """Unbiased squared maximum mean discrepancy of features (N, D) and (M, D) with the kernel (x.y / D + 1)^3.

    Returns:
        ``kid``, which is 0 on average where both sets are of one kind, however few the images; ``p_value`` that two
        sets dealt at random from all these images would be as far apart, and ``level``, which 95 % of such would not
        reach.

    Raises:
        CadsightError: for a set of fewer than two images.
    """
    _enough(first, second)
    both = np.concatenate([first, second])
    kernel = (both @ both.T / both.shape[1] + 1) ** 3
    np.fill_diagonal(kernel, 0.0)
    mine = (np.arange(len(both)) < len(first)).astype(float)
    rng = np.random.default_rng([seed, 0x21D])
    found, *dealt = _discrepancies(kernel, np.stack([mine, *(rng.permutation(mine) for _ in range(_PERMUTATIONS))]))
    p_value = (1 + np.count_nonzero(np.array(dealt) >= found)) / (1 + _PERMUTATIONS)
    return {"kid": found, "chance": float(p_value), "level": float(np.percentile(dealt, 95))}


def inception_score(class_probabilities: Array) -> float:
    """How clearly each image is of one class, and how evenly the images are of many: the exponential of the mean
    divergence of an image's classes from those of all.

    Args:
        class_probabilities: (N, C) of the classes, each row sums to 1.

    Returns:
        From 1, where all images look alike to the classifier, to C.

    Raises:
        CadsightError: for no images.
    """
    if not len(class_probabilities):
        raise CadsightError("a set of images to score is empty, expected at least one image")
    return float(np.exp(rel_entr(class_probabilities, class_probabilities.mean(axis=0)).sum(axis=1).mean()))


def nearest(of: Array, among: Array) -> tuple[NDArray[np.int64], Array]:
    """For each of features (N, D) the index (N,) of the most alike of (M, D), and their cosine distance (N,).

    Raises:
        CadsightError: where there is nothing to be like.
    """
    if not len(among):
        raise CadsightError("a set of images to compare is empty, expected at least one image")
    a, b = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (of, among))
    distances = np.clip(1 - a @ b.T, 0, None)
    indices = distances.argmin(axis=1)
    return indices, distances[np.arange(len(of)), indices]


def compared(first: Array, second: Array, extractor: str) -> dict[str, Any]:
    """Both distances and how to read them, ready for JSON.

    Returns:
        ``extractor``, ``features``, ``images`` of both, ``fid``, ``fid_biased`` (fewer images than features: too
        large, and not to be compared with that of sets of other sizes) and what :func:`kernel_distance` gives.
    """
    size = first.shape[1]
    return {
        "extractor": extractor,
        "features": size,
        "pictures": [len(first), len(second)],
        "fid": frechet_distance(first, second),
        "fid_biased": min(len(first), len(second)) <= size,
        **kernel_distance(first, second),
    }


def _discrepancies(kernel: Array, marks: Array) -> list[float]:
    """The discrepancy of each division of the images: ``marks`` (P, N + M) are 1 on those of the first set."""
    n, m = marks[0].sum(), (1 - marks[0]).sum()
    rows = marks @ kernel
    within, across = (rows * marks).sum(axis=1), (rows * (1 - marks)).sum(axis=1)
    other = kernel.sum() - within - 2 * across
    return (within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * across / (n * m)).tolist()


def _enough(first: Array, second: Array) -> None:
    if min(len(first), len(second)) < 2:
        raise CadsightError(
            f"sets of {len(first)} and {len(second)} images are to be compared by their features, "
            "expected at least two images each"
        )
