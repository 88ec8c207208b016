"""Numbers as CAD files in text spell them."""

from collections.abc import Sequence

import numpy as np

from cadsight_core.geometry import Array

# NumPy gives each word the room of the longest: one of a megabyte beside many would fill the memory.
_LONGEST = 64


def numbers_of(words: Sequence[bytes]) -> Array:
    """The numbers (N,) that words are.

    Raises:
        ValueError: for a word that is none.
    """
    if max(map(len, words), default=0) > _LONGEST:
        return np.array([float(word) for word in words])
    return np.array(words, "S").astype(float)
