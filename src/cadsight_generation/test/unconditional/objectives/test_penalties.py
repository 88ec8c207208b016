import pytest
import torch
from cadsight_generation.unconditional.objectives.penalties import around_real, between_real_and_made, squared_slope

WEIGHTS = torch.zeros(1, 3, 2, 2)
WEIGHTS[0, 0, 0, 0], WEIGHTS[0, 2, 1, 1] = 3.0, 4.0  # of the norm 5
REAL, MADE = torch.rand(6, 3, 2, 2), torch.rand(6, 3, 2, 2)


def linear(images):
    return (images * WEIGHTS).sum(dim=(1, 2, 3))


@pytest.mark.parametrize("penalty", [between_real_and_made, around_real])
def test_the_penalty_of_a_linear_critic_is_its_slopes_distance_from_one_squared(penalty):
    assert penalty(linear, REAL, MADE).item() == pytest.approx(16.0, abs=1e-4)


def test_r1_of_a_linear_critic_is_its_slope_squared():
    assert squared_slope(linear, REAL).item() == pytest.approx(25.0, abs=1e-4)


@pytest.mark.parametrize("penalty", [between_real_and_made, around_real])
def test_a_critic_that_is_flat_has_a_gradient_that_is_a_number(penalty):
    factor = torch.zeros((), requires_grad=True)
    penalty(lambda images: factor * linear(images), REAL, MADE).backward()
    assert torch.isfinite(factor.grad)


def asked(penalty, real, made):
    """Where a penalty asks for the critic's slope."""
    places = []

    def critic(images):
        places.append(images.detach())
        return linear(images)

    penalty(critic, real, made)
    return places[0]


def test_wgan_gp_asks_on_the_line_between_a_real_image_and_a_made_one():
    places = asked(between_real_and_made, REAL, MADE)
    fraction = ((places - REAL) / (MADE - REAL)).flatten(1)
    assert torch.allclose(fraction, fraction[:, :1].expand_as(fraction), atol=1e-3)
    assert ((fraction >= -1e-3) & (fraction <= 1.001)).all()
    assert fraction[:, 0].std() > 0.05


def test_dragan_asks_a_little_above_real_images_wherever_made_ones_are():
    torch.manual_seed(3)
    noise = asked(around_real, REAL, MADE) - REAL
    assert (noise >= 0).all()
    assert noise.max() <= 0.5 * REAL.std(correction=0)
