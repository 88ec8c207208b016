"""Random configurations around a home, for capturing (Comillas, section 3.3)."""

from collections.abc import Callable

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array

from cadsight_cell.arm import Joints, joint_vector


class PoseSampler:
    """Configurations with every joint uniformly within ``spread`` of ``home``; a joint of spread 0 stays.

    Pose i depends on the seed and i alone, so a session that is continued has the poses it would have had.
    """

    def __init__(
        self,
        home: Joints,
        spread: Joints,
        seed: int,
        refuse: Callable[[Array], str] = lambda joints: "",
        max_tries: int = 200,
    ) -> None:
        """``home`` and ``spread`` in radians; ``refuse`` gives the reason against joint angles (6,), or ''.

        Raises:
            CadsightError: for a negative spread, or a home and spread of the wrong joints.
        """
        self._home, self._spread = joint_vector(home), joint_vector(spread)
        if not (self._spread >= 0).all():
            raise CadsightError(f"the joints' spread is {self._spread.tolist()} rad, expected none below 0")
        self._seed, self._refuse, self._max_tries = seed, refuse, max_tries

    def pose(self, index: int) -> tuple[Array, dict[str, int]]:
        """Joint angles (6,) in radians of pose ``index``, and how many tries were refused by reason.

        Raises:
            CadsightError: when every try is refused, with the counts.
        """
        generator = np.random.default_rng([self._seed, index])
        refused: dict[str, int] = {}
        for _ in range(self._max_tries):
            joints = self._home + generator.uniform(-1, 1, len(self._home)) * self._spread
            reason = self._refuse(joints)
            if not reason:
                return joints, refused
            refused[reason] = refused.get(reason, 0) + 1
        counts = ", ".join(f"{number} {reason}" for reason, number in sorted(refused.items()))
        raise CadsightError(
            f"none of {self._max_tries} poses around home could be used ({counts}), expected a smaller spread"
            " or another home"
        )
