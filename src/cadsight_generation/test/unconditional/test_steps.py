import numpy as np
import torch
from cadsight_generation.networks.shape import NetworkShape
from cadsight_generation.networks.upsampling import networks
from cadsight_generation.unconditional.options import options_for
from cadsight_generation.unconditional.steps import Adversaries, as_image, as_network
from small_sets import folder_of_images, learned_images


def adversaries(folder, count=10, **given):
    images = learned_images(folder_of_images(folder, count))
    options = options_for("smoke", given, "here")
    torch.manual_seed(0)
    return Adversaries(*networks(NetworkShape(16, 3, 4, options.z)), images, options), images


def test_no_image_is_dropped_at_the_end_of_a_pass(tmp_path):
    """The thesis' code dropped two of ten images at each pass of batches of eight."""
    both, images = adversaries(tmp_path, batch=8, epoch_images=40, images_seen=40)
    batches = list(both.batches(np.random.default_rng(0), 0.0))
    assert len(batches) == 5
    seen = torch.cat([batch for batch, _ in batches]).flatten(1)
    counts = [(seen == own.flatten()).all(dim=1).sum().item() for own in images.pixels]
    assert counts == [4] * 10


def test_r1_comes_at_one_of_so_many_steps(tmp_path):
    both, _ = adversaries(tmp_path, r1_every=4, epoch_images=40, images_seen=40)
    assert [slope for _, slope in both.batches(np.random.default_rng(0), 0.0)] == [n % 4 == 0 for n in range(10)]
    both, _ = adversaries(tmp_path, r1=0.0, epoch_images=40, images_seen=40)
    assert not any(slope for _, slope in both.batches(np.random.default_rng(0), 0.0))


def test_images_are_mirrored_where_that_is_asked_for_alone(tmp_path):
    for flips, expected in (("none", {0}), ("horizontal", {0, 1})):
        both, images = adversaries(tmp_path, count=2, flips=flips, epoch_images=40, images_seen=40)
        seen = torch.cat([batch for batch, _ in both.batches(np.random.default_rng(0), 0.0)])
        ways = [images.pixels, images.pixels.flip(3)]
        found = {n for image in seen for n, way in enumerate(ways) if any(torch.equal(image, one) for one in way)}
        assert found == expected


def test_pixels_are_the_same_there_and_back():
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(as_image(as_network(pixels)), pixels)
    assert as_image(torch.tensor([-2.0, 2.0])).tolist() == [0, 255]
