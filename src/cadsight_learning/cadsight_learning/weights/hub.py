"""Weights of others that are downloaded when they are needed, and the error where they cannot be."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from cadsight_core.errors import CadsightError
from torch import Tensor


@contextlib.contextmanager
def reaching_hub(what: str, url: str) -> Iterator[None]:
    """Download ``what`` from ``url`` in the body.

    Raises:
        CadsightError: where it cannot be had, with what to do without it.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise CadsightError(
            f"{what} could not be had from {url} ({error}), "
            "expected a machine that reaches it, a file of weights, or 'scratch'"
        ) from error


def torchvision_state(architecture: str) -> tuple[str, dict[str, Tensor]]:
    """Torchvision's own weights of ``architecture`` and their name, downloaded once and checked by their hash.

    Raises:
        CadsightError: when they cannot be had.
    """
    # Its import takes seconds, for it brings torch's compiler; most networks need nothing of it.
    import torchvision

    weights: Any = torchvision.models.get_model_weights(architecture)["DEFAULT"]
    with reaching_hub(f"torchvision's weights of {architecture}", weights.url):
        state = torch.hub.load_state_dict_from_url(
            weights.url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    return str(weights), dict(state)
