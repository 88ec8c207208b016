"""Candidates for tests, made of a few numbers."""

import numpy as np
from cadsight_active.candidates import Candidates


def candidates(counts, scores=None, labelled=(), objects=None, images=None, common=None, difficulties=None, classes=2):
    """Images a, b, c ... with so many detections each; those whose letters are in ``labelled`` are labelled."""
    total = int(sum(counts))
    ids = tuple(chr(ord("a") + i) if i < 26 else f"z{i}" for i in range(len(counts)))
    scores = np.full((total, classes), 0.5) if scores is None else scores
    return Candidates(
        ids,
        np.array([name in labelled for name in ids], bool),
        np.array(counts, np.int64),
        np.array(scores, np.float32),
        np.zeros((total, 4)),
        np.array(np.ones((total, 1)) if objects is None else objects, np.float32),
        None if images is None else np.array(images, np.float32),
        None if common is None else np.array(common, np.float32),
        None if difficulties is None else np.array(difficulties, float),
    )


def random_candidates(count=60, labelled=6, seed=0, classes=3, width=8):
    """Images with 0 to 4 detections, features and all."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, count)
    total = int(counts.sum())
    ids = tuple(f"i{n:03d}" for n in range(count))
    return Candidates(
        ids,
        np.arange(count) >= count - labelled,
        counts.astype(np.int64),
        rng.uniform(0.03, 1, (total, classes)).astype(np.float32),
        rng.uniform(0, 60, (total, 4)),
        rng.normal(size=(total, width)).astype(np.float32),
        rng.normal(size=(count, width)).astype(np.float32),
        rng.normal(size=(count, width)).astype(np.float32),
        rng.uniform(size=classes),
    )
