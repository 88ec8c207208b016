import pytest
import torch
from cadsight_generation.translation.objectives.cycle import Pool
from cadsight_generation.translation.objectives.losses import band, edge_loss, taken_for
from objects import hexagon, shaded

MASK = torch.from_numpy(hexagon(64))[None, None].float()
IMAGE = torch.from_numpy(shaded(hexagon(64)).astype("float32") / 127.5 - 1).permute(2, 0, 1)[None]


def test_edges_that_stay_cost_nothing_and_those_that_move_cost_the_more():
    assert float(edge_loss(IMAGE, IMAGE, MASK)) == pytest.approx(0, abs=1e-2)
    assert float(edge_loss(IMAGE, -IMAGE, MASK)) == pytest.approx(0, abs=1e-2)
    one, two = (float(edge_loss(IMAGE, IMAGE.roll(n, dims=3), MASK)) for n in (1, 2))
    assert 0.05 < one < two
    assert float(edge_loss(IMAGE, torch.zeros_like(IMAGE), MASK)) > 0.5


def test_a_crop_without_a_silhouette_costs_nothing():
    assert float(edge_loss(IMAGE, -IMAGE * 0.1, torch.zeros_like(MASK))) == 0


def test_the_band_is_4_pixels_wide_each_way():
    half = torch.zeros(1, 1, 20, 20)
    half[..., 10:] = 1
    assert band(half)[0, 0, 5].nonzero().flatten().tolist() == list(range(6, 14))


def test_least_squares_are_those_from_one_and_from_zero():
    answers = torch.tensor([0.0, 1.0, 3.0])
    assert float(taken_for(answers, True)) == pytest.approx((1 + 0 + 4) / 3)
    assert float(taken_for(answers, False)) == pytest.approx((0 + 1 + 9) / 3)


def test_a_pool_shows_older_images_once_it_is_full_and_keeps_its_state():
    torch.manual_seed(0)
    pool = Pool("pool", 3)
    first = torch.arange(3.0)[:, None, None, None].expand(3, 3, 2, 2)
    assert torch.equal(pool.mixed(first), first)
    again = Pool("pool", 3)
    again.load_state_dict(pool.state_dict())
    shown = again.mixed(torch.full((40, 3, 2, 2), 9.0))
    assert {0.0, 1.0, 2.0, 9.0} == set(shown[:, 0, 0, 0].tolist())
    assert torch.equal(Pool("none", 0).mixed(first), first)
