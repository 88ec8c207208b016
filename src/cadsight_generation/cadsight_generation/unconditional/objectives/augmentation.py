"""Changes of images that gradients go through (Zhao et al. 2020, DiffAugment): colour and translation.

Their third change, cutout, leaks into what is made. A mask channel moves with its image and keeps its values.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Augmentation = Callable[[Tensor], Tensor]
COLOURS = 3
# Of the image's side, as published.
_FARTHEST = 0.125


def augmentation(names: str) -> Augmentation:
    """The change of ``names``, 'colour', 'translation' or both with a comma between, 'none' for the images as they are.

    It takes and gives (N, C, H, W), the first three of C the colours from -1 to 1.
    """
    changes = [_CHANGES[name] for name in names.split(",") if name != "none"]

    def change(images: Tensor) -> Tensor:
        for one in changes:
            images = one(images)
        return images

    return change


def recoloured(images: Tensor) -> Tensor:
    """Brightness by up to 0.5, saturation by a factor up to 2, contrast by a factor of 0.5 to 1.5."""
    colours, rest = images[:, :COLOURS], images[:, COLOURS:]
    amount = torch.rand(3, len(images), 1, 1, 1, device=images.device)
    colours = colours + amount[0] - 0.5
    grey = colours.mean(dim=1, keepdim=True)
    colours = grey + (colours - grey) * (amount[1] * 2)
    mean = colours.mean(dim=(1, 2, 3), keepdim=True)
    return torch.cat([mean + (colours - mean) * (amount[2] + 0.5), rest], dim=1)


def shifted(images: Tensor) -> Tensor:
    """Shifts by up to an eighth of the side; what comes in is 0, as published, and no mask."""
    count, _, height, width = images.shape
    most = [int(side * _FARTHEST + 0.5) for side in (height, width)]
    padded = functional.pad(images, (most[1], most[1], most[0], most[0]))
    padded[:, COLOURS:] = functional.pad(images[:, COLOURS:], (most[1], most[1], most[0], most[0]), value=-1.0)
    down, right = (torch.randint(0, 2 * m + 1, (count, 1), device=images.device) for m in most)
    rows = down + torch.arange(height, device=images.device)
    columns = right + torch.arange(width, device=images.device)
    which = torch.arange(count, device=images.device)
    moved = padded.permute(0, 2, 3, 1)[which[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2).contiguous()


_CHANGES: dict[str, Augmentation] = {"colour": recoloured, "translation": shifted}
