"""What every regressor of normals can do, whatever runs its network (Comillas, section 5 and annex B)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.crop_size import CROP_SIZE
from cadsight_core.imaging.crops import crop_box
from numpy.typing import NDArray

from cadsight_learning.data.letterbox import as_input
from cadsight_learning.normals.von_mises_fisher import covariances

# The range of the colours that the networks learn with.
COLOURS = (-1.0, 1.0)
# Of normals that nobody has evaluated yet: 20 degrees each way.
_UNKNOWN = np.eye(3) * np.sin(np.radians(20.0)) ** 2


class Regressor(ABC):
    """Normals of crops, in the viewing frame of each crop, and their uncertainty.

    Attributes:
        image_size: side in pixels of a crop as the network sees it.
        covariance: (3, 3) of the normal in the viewing frame, from the residuals of validation crops, for a network
            that gives no concentration.
        temperature: what the concentrations are divided by (see
            :func:`cadsight_learning.normals.von_mises_fisher.temperature`).
    """

    def __init__(
        self,
        architecture: str,
        image_size: int = CROP_SIZE,
        covariance: Sequence[Sequence[float]] | None = None,
        temperature: float = 1.0,
    ) -> None:
        self.architecture, self.image_size = architecture, image_size
        self.covariance = _UNKNOWN.copy() if covariance is None else np.array(covariance, float).reshape(3, 3)
        self.temperature = temperature

    @property
    @abstractmethod
    def runtime(self) -> str:
        """What runs the network, one of :data:`cadsight_learning.options.RUNTIMES`."""

    @abstractmethod
    def outputs(self, crops: NDArray[np.uint8]) -> Array:
        """What the network gives for crops (N, H, W, 3): normals (N, 3), or (N, 4) with a concentration."""

    def warm_up(self) -> None:
        """Run once, so that the first real crop is not the slow one."""
        self.predict(np.zeros((1, CROP_SIZE, CROP_SIZE, 3), np.uint8))

    def predict(self, crops: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Normals (N, 3) of crops (N, H, W, 3), each in its crop's viewing frame, and covariances (N, 3, 3).

        The covariance is each crop's own where the network gives a concentration, and that of the residuals on
        validation crops where it does not. N may be any number: the network is given some at a time.

        Raises:
            CadsightError: for another shape.
        """
        crops = checked(crops)
        if not len(crops):
            return np.zeros((0, 3)), np.zeros((0, 3, 3))
        found = self.outputs(crops)
        normals = found[:, :3]
        if found.shape[1] == 3:
            return normals, np.repeat(self.covariance[None], len(crops), axis=0)
        return normals, covariances(normals, found[:, 3] / self.temperature)


def crops_as_input(crops: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Crops (N, H, W, 3) as the network's input (N, 3, size, size), -1 to 1."""
    if crops.shape[1:3] != (size, size):
        # By area as the crop itself is shrunk; enlarged by area it would fall into blocks.
        method = cv2.INTER_AREA if min(crops.shape[1:3]) > size else cv2.INTER_LINEAR
        crops = np.stack([np.asarray(cv2.resize(c, (size, size), interpolation=method), np.uint8) for c in crops])
    return as_input(crops, *COLOURS)


def crop_rotation(camera: Camera | None, box: Box, image: ImageSize) -> Array:
    """(3, 3) ``R`` of the crop of ``box``: ``normal_camera = R @ normal_viewing``.

    The viewing frame looks along the ray through the crop's centre; without a camera it is the camera's own frame.
    """
    if camera is None:
        return np.eye(3)
    x, y = crop_box(box, image).centre
    return viewing_rotation(camera, (x - 0.5, y - 0.5))


def checked(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``crops`` as an array (N, H, W, 3).

    Raises:
        CadsightError: for another shape.
    """
    crops = np.asarray(crops)
    if crops.ndim != 4 or crops.shape[3] != 3:
        raise CadsightError(f"crops are of shape {crops.shape}, expected (N, height, width, 3)")
    return crops
