import math

import pytest
import torch
from cadsight_generation.unconditional.objectives import losses

# Of the answers 2 and -1, by hand.
LOG2, LOG1 = math.log(1 + math.exp(-2)), math.log(1 + math.exp(-1))
VALUES = {
    "GAN": ((LOG2 + 1 + LOG1) / 2, (2 + LOG2 + LOG1) / 2, (LOG2 + 1 + LOG1) / 2),
    "LSGAN": ((1 + 4) / 2, (4 + 1) / 2, (1 + 4) / 2),
    "HINGE": ((0 + 2) / 2, (3 + 0) / 2, (0 + 2) / 2),
    "HINGE2": ((0 + 2) / 2, (3 + 0) / 2, -0.5),
    "WGAN": (-0.5, 0.5, -0.5),
}


@pytest.mark.parametrize("name", VALUES)
def test_the_losses_are_those_of_the_thesis_code(name):
    answers = torch.tensor([2.0, -1.0])
    loss = getattr(losses, name)
    found = loss.real(answers), loss.made(answers), loss.generator(answers)
    assert [value.item() for value in found] == pytest.approx(VALUES[name], abs=1e-6)
