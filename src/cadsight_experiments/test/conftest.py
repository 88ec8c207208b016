"""Sets of drawn blocks that the tests of this package share."""

import torch
from drawn_block import other_pictures, pictures

__all__ = ["other_pictures", "pictures"]

torch.set_num_threads(1)
