import pytest
import torch
from cadsight_generation.translation.networks.discriminator import Discriminator
from cadsight_generation.translation.networks.generator import Generator
from cadsight_generation.translation.networks.layers import Demodulated
from cadsight_generation.translation.networks.patches import PatchProjection, patch_loss, places_in


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_a_demodulated_convolution_keeps_the_spread_whatever_the_scale_of_its_weights(scale):
    torch.manual_seed(0)
    one = Demodulated(32, 32)
    with torch.no_grad():
        one.weight.mul_(scale)
    found = one(torch.randn(8, 32, 32, 32))
    assert float(found.detach().std()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("demodulated", "conditioned"), [(True, True), (True, False), (False, False)])
def test_a_generator_gives_an_image_of_the_same_size(demodulated, conditioned):
    generator = Generator(4, 1, demodulated, conditioned)
    x = torch.rand(2, generator.channels, 24, 32) * 2 - 1
    assert generator(x).shape == (2, 3, 24, 32)
    assert [f.shape[1] for f in generator.features(x)] == list(generator.feature_channels)


def test_a_conditioned_generator_begins_by_leaving_images_as_they_are():
    torch.manual_seed(0)
    generator = Generator(8, 2, True, True)
    x = torch.rand(1, 7, 32, 32) * 2 - 1
    assert float((generator(x) - x[:, :3]).abs().mean()) < 0.1


def test_white_beyond_the_range_still_has_a_gradient():
    generator = Generator(4, 1, True, True)
    x = torch.ones(1, 7, 16, 16)
    with torch.no_grad():
        generator.last.bias.fill_(1.0)
    made = generator(x)
    made.sum().backward()
    assert float(made.max()) == 1.0
    assert float(generator.last.bias.grad.abs().min()) > 0


@pytest.mark.parametrize(("size", "side"), [(64, 16), (128, 16)])
def test_a_discriminator_looks_at_larger_patches_of_larger_crops(size, side):
    assert Discriminator(4, size, True)(torch.zeros(1, 3, size, size)).shape == (1, 1, side, side)


def test_patches_are_most_like_themselves():
    torch.manual_seed(0)
    features = [torch.randn(2, 6, 8, 8)]
    projection, places = PatchProjection((6,), 16), places_in(features, 20)
    (found,) = projection(features, places)
    assert found.shape == (2, 20, 16)
    assert patch_loss(found, found) < patch_loss(found, found.roll(1, dims=1))
