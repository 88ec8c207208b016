"""Forward kinematics from a Denavit-Hartenberg table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array

Convention = Literal["standard", "modified"]
_HALF = np.pi / 2


@dataclass(frozen=True, eq=False)
class Chain:
    """An arm of turning joints.

    Attributes:
        a, alpha, d, theta: (J,) of each joint; metres and radians, theta is what is added to the joint's angle.
        convention: ``standard`` (Denavit and Hartenberg) or ``modified`` (Craig).
    """

    a: Array
    alpha: Array
    d: Array
    theta: Array
    convention: Convention = "standard"

    @property
    def joints(self) -> int:
        return len(self.a)

    def forward(
        self, angles: Array, offsets: Array | None = None, longer: Array | None = None, higher: Array | None = None
    ) -> Array:
        """(N, 4, 4) base_from_tool of angles (N, J) in radians.

        Args:
            offsets: (J,) radians added to the angles.
            longer, higher: (J,) metres added to ``a`` and ``d``.
        """
        q = np.asarray(angles, float) + self.theta + (0.0 if offsets is None else offsets)
        a = self.a + (0.0 if longer is None else longer)
        d = self.d + (0.0 if higher is None else higher)
        pose = np.broadcast_to(np.eye(4), (len(q), 4, 4))
        for j in range(self.joints):
            pose = pose @ self._link(q[:, j], a[j], self.alpha[j], d[j])
        return pose

    def _link(self, angle: Array, a: float, alpha: float, d: float) -> Array:
        cos, sin, ca, sa = np.cos(angle), np.sin(angle), np.cos(alpha), np.sin(alpha)
        link = np.zeros((len(angle), 4, 4))
        link[:, 3, 3] = 1.0
        link[:, 0, 0], link[:, 2, 2] = cos, ca
        if self.convention == "standard":
            link[:, 0, 1], link[:, 0, 2], link[:, 0, 3] = -sin * ca, sin * sa, a * cos
            link[:, 1, 0], link[:, 1, 1], link[:, 1, 2], link[:, 1, 3] = sin, cos * ca, -cos * sa, a * sin
            link[:, 2, 1], link[:, 2, 3] = sa, d
        else:
            link[:, 0, 1], link[:, 0, 3] = -sin, a
            link[:, 1, 0], link[:, 1, 1], link[:, 1, 2], link[:, 1, 3] = sin * ca, cos * ca, -sa, -sa * d
            link[:, 2, 0], link[:, 2, 1], link[:, 2, 3] = sin * sa, cos * sa, ca * d
        return link


def _universal_robot(a2: float, a3: float, d1: float, d4: float, d5: float, d6: float) -> Chain:
    return Chain(
        np.array([0.0, a2, a3, 0.0, 0.0, 0.0]),
        np.array([_HALF, 0.0, 0.0, _HALF, -_HALF, 0.0]),
        np.array([d1, 0.0, 0.0, d4, d5, d6]),
        np.zeros(6),
    )


# Universal Robots' own tables; their frame is the controller's ``base``, which ROS's base_link is turned to by pi.
MODELS: Mapping[str, Chain] = {
    "ur3": _universal_robot(-0.24365, -0.21325, 0.1519, 0.11235, 0.08535, 0.0819),
    "ur3e": _universal_robot(-0.24355, -0.2132, 0.15185, 0.13105, 0.08535, 0.0921),
    "ur5": _universal_robot(-0.425, -0.39225, 0.089159, 0.10915, 0.09465, 0.0823),
    "ur5e": _universal_robot(-0.425, -0.3922, 0.1625, 0.1333, 0.0997, 0.0996),
    "ur10": _universal_robot(-0.612, -0.5723, 0.1273, 0.163941, 0.1157, 0.0922),
    "ur10e": _universal_robot(-0.6127, -0.57155, 0.1807, 0.17415, 0.11985, 0.11655),
    "ur16e": _universal_robot(-0.4784, -0.36, 0.1807, 0.17415, 0.11985, 0.11655),
}


def model(name: str) -> Chain:
    """The arm of a name.

    Raises:
        CadsightError: for an arm that is not in the table.
    """
    if name not in MODELS:
        raise CadsightError(f"the arm {name!r} is not known, expected one of {', '.join(MODELS)} or a table of its own")
    return MODELS[name]
