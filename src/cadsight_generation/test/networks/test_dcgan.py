import pytest
import torch
from cadsight_generation.networks.dcgan import PixelLayerNorm, networks
from cadsight_generation.networks.shape import NetworkShape
from torch import nn


def keras_count(module: nn.Module) -> int:
    """Parameters by Keras' count: means and variances of batch normalisation are some."""
    running = [b for name, b in module.named_buffers() if name.endswith(("running_mean", "running_var"))]
    return sum(value.numel() for value in [*module.parameters(), *running])


def test_the_networks_have_as_many_parameters_as_those_of_the_thesis():
    generator, critic = networks(NetworkShape(256, 3, 64, 128, penalised=True))
    assert (keras_count(generator), keras_count(critic)) == (12_200_707, 11_156_289)


def test_a_critic_without_penalty_has_batch_normalisation_with_its_means_and_variances():
    _, critic = networks(NetworkShape(256, 3, 64, 128))
    # Two numbers more for each of 128, 256, 512, 512 and 512 channels than layer normalisation has.
    assert keras_count(critic) == 11_156_289 + 2 * 1920


def test_the_layers_have_the_sides_and_channels_of_the_thesis():
    generator, _ = networks(NetworkShape(256, 3, 64, 128))
    x, seen = torch.randn(2, 128, 1, 1), []
    for layer in generator.layers:
        x = layer(x)
        if isinstance(layer, nn.ConvTranspose2d):
            seen.append((x.shape[2], x.shape[1]))
    assert seen == [(4, 512), (8, 512), (16, 512), (32, 256), (64, 128), (128, 64), (256, 3)]


def test_layer_normalisation_is_over_the_channels_of_a_pixel():
    images = torch.tensor([[1.0, 3.0], [5.0, 5.0]]).reshape(1, 2, 1, 2)  # pixels (1, 5) and (3, 5)
    found = PixelLayerNorm(2)(images).flatten(2)[0]
    # (1 - 3) / sqrt(4 + 0.001) and (3 - 4) / sqrt(1 + 0.001)
    assert found[:, 0].tolist() == pytest.approx([-0.999875, 0.999875], abs=1e-5)
    assert found[:, 1].tolist() == pytest.approx([-0.9995, 0.9995], abs=1e-4)


@pytest.mark.parametrize("size", [16, 32, 64])
@pytest.mark.parametrize("channels", [3, 4])
def test_smaller_networks_of_the_kind_make_images_of_their_size(size, channels):
    generator, critic = networks(NetworkShape(size, channels, 4, 8))
    made = generator(torch.randn(2, 8))
    assert made.shape == (2, channels, size, size)
    assert made.abs().max() <= 1
    assert critic(made).shape == (2,)
