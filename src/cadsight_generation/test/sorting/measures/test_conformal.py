import numpy as np
import pytest
from cadsight_core.errors import CadsightError
from cadsight_generation.sorting.measures.conformal import needed, p_values, refuse_too_few


def test_a_p_value_counts_the_held_out_images_that_score_as_low():
    assert p_values(np.array([0.5, 1.0, 9.0]), np.array([1.0, 2.0, 3.0])).tolist() == [0.25, 0.5, 1.0]


@pytest.mark.parametrize(("level", "images"), [(0.05, 19), (0.02, 49), (0.01, 99)])
def test_a_level_takes_so_many_held_out_images(level, images):
    assert needed(level) == images
    refuse_too_few(images, level)
    with pytest.raises(CadsightError, match=f"at least {images}"):
        refuse_too_few(images - 1, level)
