import pytest
import torch
from cadsight_generation.unconditional.objectives.augmentation import augmentation


def images(count=64, channels=4):
    torch.manual_seed(0)
    found = torch.rand(count, channels, 16, 16) * 2 - 1
    found[:, 3:] = torch.where(found[:, 3:] > 0, 1.0, -1.0)
    return found


def test_a_change_of_colour_leaves_the_mask():
    before = images()
    after = augmentation("colour")(before)
    assert torch.equal(after[:, 3], before[:, 3])
    assert (after[:, :3] - before[:, :3]).abs().flatten(1).max(dim=1).values.min() > 0.01


def test_what_a_shift_brings_in_is_grey_and_no_part():
    before = torch.ones(64, 4, 16, 16)
    after = augmentation("translation")(before)
    came = after[:, 0] == 0
    assert torch.equal(after[:, 3] == -1, came)
    assert torch.equal(after[:, 3] == 1, ~came)
    # Two pixels of 16 at most, to all sides.
    assert came[:, 2:-2, 2:-2].sum() == 0
    assert {bool(came[:, 0].any()), bool(came[:, -1].any()), bool(came[:, :, 0].any())} == {True}


def test_a_shift_moves_colours_and_mask_together():
    before = torch.full((32, 4, 16, 16), -1.0)
    before[:, :, 8, 8] = 1.0
    after = augmentation("translation")(before)
    places = [(after[:, channel] == 1).nonzero() for channel in range(4)]
    assert len(places[0]) == 32
    assert all(torch.equal(place, places[0]) for place in places)
    assert len(set(map(tuple, places[0][:, 1:].tolist()))) > 5


@pytest.mark.parametrize("name", ["colour", "translation", "colour,translation"])
def test_gradients_go_through(name):
    before = images(4).requires_grad_(True)
    augmentation(name)(before).sum().backward()
    assert before.grad.abs().sum() > 0


def test_none_is_the_images_as_they_are():
    before = images(2)
    assert augmentation("none")(before) is before
