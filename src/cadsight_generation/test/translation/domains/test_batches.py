import numpy as np
import torch
from cadsight_generation.translation.domains.batches import CropPairs, crop_of, difference
from cadsight_generation.translation.domains.domain import domain_of
from cadsight_learning.data.loading import load_images
from two_domains import write_domain


def canvases(folder, count, real, longer=64):
    write_domain(folder, count, real)
    return domain_of("real" if real else "synthetic", load_images([folder]), 2).canvases(longer, 10**8)


def test_an_epoch_is_the_same_for_the_same_random_numbers_and_of_the_right_shape(tmp_path):
    pairs = CropPairs(canvases(tmp_path / "s", 3, False), canvases(tmp_path / "r", 3, True), 32, 2, 2, 4)
    one, two = (list(pairs(np.random.default_rng(3), 0.0)) for _ in range(2))
    assert len(one) == 2
    assert {k: tuple(v.shape) for k, v in one[0].items()} == {
        "synthetic": (2, 3, 32, 32),
        "condition": (2, 4, 32, 32),
        "real": (2, 3, 32, 32),
        "real_condition": (2, 4, 32, 32),
    }
    assert all(torch.equal(a[k], b[k]) for a, b in zip(one, two, strict=True) for k in a)


def test_real_crops_with_the_most_alike_share_of_parts_are_taken(tmp_path):
    synthetic, real = canvases(tmp_path / "s", 3, False), canvases(tmp_path / "r", 3, True)

    def mean_difference(matched):
        pairs = CropPairs(synthetic, real, 24, 1, 1, matched)
        return np.mean([difference(*pairs._pair(np.random.default_rng(n))) for n in range(40)])

    assert mean_difference(12) < mean_difference(1) / 3


def test_a_crop_larger_than_its_image_goes_on_at_the_border(tmp_path):
    crop = crop_of(canvases(tmp_path / "s", 2, False, 32)[0], 48, np.random.default_rng(0))
    assert crop.colours.shape == (48, 48, 3)
    assert (crop.colours[32:] == crop.colours[31]).all()
