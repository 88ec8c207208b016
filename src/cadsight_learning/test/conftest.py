"""Sets of drawn blocks that the tests of this package share."""

import pytest
import torch
from cadsight_core.sample import Sample
from drawn_block import drawn_samples

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return drawn_samples(tmp_path_factory.mktemp("pictures"), 12)


@pytest.fixture(scope="session")
def other_pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return drawn_samples(tmp_path_factory.mktemp("others"), 4, seed=7, split="valid")
