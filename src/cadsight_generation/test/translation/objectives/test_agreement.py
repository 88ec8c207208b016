import torch
from cadsight_generation.translation.objectives.agreement import Agreement, FrozenModel, _found_elsewhere, _turned


def test_a_frozen_regressor_costs_what_it_says_otherwise_and_learns_nothing():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16, 3))
    agreement = Agreement([FrozenModel("m", module, (-1.0, 1.0), 4, _turned)], torch.device("cpu"))
    image = torch.rand(2, 3, 8, 8)
    assert float(agreement(image, image)) < 1e-6
    other = (-image).requires_grad_()
    agreement(image, other).backward()
    assert float(other.grad.abs().sum()) > 0
    assert all(p.grad is None for p in module.parameters())


def test_a_detection_that_moves_or_fades_costs_something():
    found = torch.tensor([[[10.0], [10], [4], [4], [0.9]]])
    moved, faded = found.clone(), found.clone()
    moved[0, 0] += 2
    faded[0, 4] = 0.1
    assert float(_found_elsewhere(found, found)) == 0
    assert float(_found_elsewhere(found, moved)) > 0.1
    assert float(_found_elsewhere(found, faded)) > 0.5
