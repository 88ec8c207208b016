import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance
from cadsight_generation.holding.patch import SIDE, patch_of
from objects import hexagon, sample_of, shaded


def test_a_patch_at_the_border_says_what_is_inside_the_image():
    image = shaded(hexagon(100))
    patch = patch_of(image, image, Instance(0, Box(0, 0, 50, 50), source="human"))
    assert patch.before.shape == (SIDE, SIDE, 3)
    assert patch.mask is None
    # Of a patch of 65 pixels the first 8 columns and rows lie outside.
    assert np.flatnonzero(patch.inside.any(axis=0))[0] == pytest.approx(8 / 65 * SIDE, abs=1)


def test_an_image_of_another_size_is_refused():
    image = shaded(hexagon(100))
    with pytest.raises(CadsightError, match=r"became \(99, 100, 3\) from \(100, 100, 3\)"):
        patch_of(image, image[1:], sample_of(hexagon(100)).instances[0])
