"""Images of one colour each with made features, for the tests of the pool."""

import numpy as np
from cadsight_active.pool.seen import Seen

MODEL, OTHER, FROZEN = "a" * 64, "b" * 64, "c" * 64


def image(number, size=(8, 6)):
    """(H, W, 3), another one for each number."""
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, (size[1], size[0], 3), np.uint8)


def seen(number=0, *, scores=((0.5, 0.5),), objects=None, features=None, width=16, model=MODEL, stamp=0):
    """One unsure detection; features in a direction of each number's own."""
    rng = np.random.default_rng([7, number])
    count = len(scores)
    objects = rng.standard_normal((count, width)) if objects is None else objects
    features = rng.standard_normal(width) if features is None else features
    return Seen(
        stamp,
        np.tile([0.0, 0.0, 4.0, 4.0], (count, 1)),
        np.array(scores, np.float32).reshape(count, len(scores[0]) if count else 2),
        np.array(objects, np.float32).reshape(count, np.shape(objects)[-1]),
        np.array(features, np.float32),
        model,
        FROZEN,
    )
