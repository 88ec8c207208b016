"""What the tests of this package share."""

import torch

# Sums over several threads are added up in another order.
torch.set_num_threads(1)
