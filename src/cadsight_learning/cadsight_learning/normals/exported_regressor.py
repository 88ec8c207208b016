"""A regressor of normals whose network another runtime than torch runs."""

from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_learning.normals.regressor import Regressor, crops_as_input
from cadsight_learning.runtime.exported_network import ExportedNetwork


class ExportedRegressor(Regressor):
    """A regressor of normals whose network an :class:`ExportedNetwork` is.

    It is made as :class:`cadsight_learning.normals.regressor.Regressor`, with its network.
    """

    def __init__(self, network: ExportedNetwork, *given: Any) -> None:
        super().__init__(*given)
        self._network = network

    @property
    def runtime(self) -> str:
        return self._network.runtime

    def outputs(self, crops: NDArray[np.uint8]) -> Array:
        found = [self._network(crops_as_input(one[None], self.image_size)) for one in crops]
        return np.concatenate(found).astype(float)
