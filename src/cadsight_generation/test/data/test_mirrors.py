import numpy as np
import pytest
import torch
from cadsight_generation.data.mirrors import mirrors_of
from cadsight_generation.data.stack import ImageStack


def stack_of(images) -> ImageStack:
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return ImageStack(pixels, tuple(map(str, range(len(images)))), ("real",) * len(images), 1.0)


def blobs(count, top=slice(None), left=slice(None)):
    """Bright squares anywhere, in images whose part ``top``, ``left`` is brighter."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        image = np.full((32, 32, 3), 60, np.uint8)
        image[top, left] += 60
        y, x = rng.integers(0, 26, 2)
        image[y : y + 6, x : x + 6] = 250
        yield image


@pytest.mark.parametrize(
    ("lit", "expected"),
    [
        ({}, "both"),
        ({"left": slice(16)}, "vertical"),
        ({"top": slice(16)}, "horizontal"),
        ({"top": slice(16), "left": slice(16)}, "none"),
    ],
)
def test_a_light_from_one_side_is_not_mirrored(lit, expected):
    assert mirrors_of(stack_of(list(blobs(60, **lit)))) == expected


def test_few_images_say_nothing():
    assert mirrors_of(stack_of(list(blobs(7)))) == "none"
