"""Sets of drawn blocks that the tests of this package share with those of learning."""

import torch
from drawn_block import block_samples, other_samples

__all__ = ["block_samples", "other_samples"]

torch.set_num_threads(1)
