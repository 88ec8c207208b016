import pytest
import torch
from cadsight_generation.networks.shape import NetworkShape
from cadsight_generation.networks.upsampling import networks
from torch import nn


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("channels", [3, 4])
def test_the_networks_fit_each_other_at_every_size(size, channels):
    generator, critic = networks(NetworkShape(size, channels, 4, 8))
    made = generator(torch.randn(3, 8))
    assert made.shape == (3, channels, size, size)
    assert made.abs().max() <= 1
    assert critic(made).shape == (3,)


def test_no_layer_is_transposed():
    assert not [m for m in networks(NetworkShape(64))[0].modules() if isinstance(m, nn.ConvTranspose2d)]


def test_every_weight_gets_a_gradient():
    generator, critic = networks(NetworkShape(64, 4, 4, 8))
    critic(generator(torch.randn(4, 8))).square().sum().backward()
    lacking = [n for m in (generator, critic) for n, p in m.named_parameters() if p.grad is None or not p.grad.any()]
    assert lacking == []


def test_an_image_depends_on_the_direction_of_its_numbers_and_not_on_their_length():
    generator, _ = networks(NetworkShape(16, 3, 4, 8))
    z = torch.randn(2, 8)
    generator.eval()
    assert torch.allclose(generator(z), generator(3 * z), atol=1e-5)
    assert not torch.allclose(generator(z)[0], generator(z)[1], atol=1e-3)


def test_a_critic_tells_a_batch_of_one_image_from_one_of_many():
    _, critic = networks(NetworkShape(16, 3, 4, 8))
    images = torch.randn(4, 3, 16, 16)
    alone = critic(images[:1].expand(4, -1, -1, -1))
    assert not torch.allclose(critic(images)[0], alone[0], atol=1e-4)
