"""What is unknown in a hand-eye calibration, and the pixels by which every corner is missed."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from cadsight_core.config.parameters import check, parameter
from cadsight_core.geometry import Array
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from cadsight_calibration.arm.chain import Chain
from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fitting.views import Views

_TRANSFORM = 6
_STEP = np.array([0.01] * 3 + [0.01] * 3)


@dataclass(frozen=True)
class Refinement:
    """What is fitted beside the two poses, each held by what it usually is."""

    intrinsics: bool = parameter(False, "fit focal lengths, principal point and lens too")
    joint_offsets: bool = parameter(False, "fit an offset of each joint too")
    link_lengths: bool = parameter(False, "fit the arm's link lengths too")
    loss_px: float = parameter(1.0, "from so many pixels on a corner counts less", minimum=0.01, maximum=100.0)
    usual_offset_deg: float = parameter(0.3, "usual offset of a joint", minimum=1e-4, maximum=10.0)
    usual_length_mm: float = parameter(1.0, "usual error of a link's length", minimum=1e-3, maximum=100.0)
    usual_focal: float = parameter(0.005, "usual error of a focal length, as a fraction", minimum=1e-5, maximum=0.5)
    usual_centre_px: float = parameter(5.0, "usual error of the principal point", minimum=0.01, maximum=500.0)
    usual_lens: float = parameter(0.02, "usual error of a lens coefficient", minimum=1e-5, maximum=1.0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def more(self) -> bool:
        """Whether anything is fitted beside the two poses."""
        return self.intrinsics or self.joint_offsets or self.link_lengths


@dataclass(frozen=True, eq=False)
class Solution:
    """An answer.

    Attributes:
        camera: (4, 4) of the optical frame in the base (eye to hand) or the tool (eye in hand).
        boards: (G, 4, 4) of the board in the tool or the base; more than one where its mount moved.
        lens: (9,) as :func:`cadsight_calibration.camera.projection.numbers_of`.
        offsets, longer, higher: (J,) radians, and metres of a and d; empty where they are not fitted.
        order: (V,) of each view.
    """

    camera: Array
    boards: Array
    lens: Array
    order: NDArray[np.intp]
    offsets: Array = field(default_factory=lambda: np.zeros(0))
    longer: Array = field(default_factory=lambda: np.zeros(0))
    higher: Array = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class Problem:
    """Views with the arm's poses.

    Attributes:
        poses: (V, 4, 4) base_from_tool; taken from the joints (V, J) where there is a chain.
        in_hand: whether the camera is on the tool.
        group: (V,) which of the boards' places each view has.
    """

    views: Views
    poses: Array
    in_hand: bool
    lens: Array
    group: NDArray[np.intp]
    refinement: Refinement
    joints: Array | None = None
    chain: Chain | None = None

    def taken(self, keep: NDArray[np.intp] | list[int]) -> "Problem":
        """The problem of some views."""
        joints = None if self.joints is None else self.joints[keep]
        return replace(
            self, views=self.views.taken(keep), poses=self.poses[keep], group=self.group[keep], joints=joints
        )

    def motions(self, solution: Solution | None = None) -> Array:
        """(V, 4, 4) as in :mod:`closed_form`, with the arm as the solution has it."""
        poses = self.poses
        if solution is not None and self.chain is not None and self.joints is not None and len(solution.offsets):
            poses = self.chain.forward(self.joints, solution.offsets, solution.longer, solution.higher)
        return inverse(poses) if self.in_hand else poses

    def camera_from_board(self, solution: Solution) -> Array:
        """(V, 4, 4) of the board in the camera."""
        return inverse(solution.camera) @ self.motions(solution) @ solution.boards[self.group]

    def errors(self, solution: Solution) -> Array:
        """(P, 2) pixels."""
        return self.views.errors(self.camera_from_board(solution), solution.lens, self.views.chosen(solution.order))

    def rms(self, solution: Solution) -> Array:
        """(V,) pixels, each view in its best order."""
        return self.views.best_orders(self.camera_from_board(solution), solution.lens)[1]

    def start(self, camera: Array, board: Array) -> Solution:
        """A solution to begin from."""
        solution = Solution(camera, np.stack([board] * (int(self.group.max(initial=0)) + 1)), self.lens, self._no_order)
        return self.reordered(solution)

    def reordered(self, solution: Solution) -> Solution:
        """The same with each view in its best order."""
        return replace(solution, order=self.views.best_orders(self.camera_from_board(solution), solution.lens)[0])

    def solve(self, start: Solution, rounds: int = 3, coarse: bool = False) -> Solution:
        """Least squares over all corners under a soft L1 loss, the orders settled anew in each round.

        Args:
            coarse: begin with a loss that takes views far off as wrong (Cauchy's), for a start that is rough.
        """
        solution = self.reordered(start)
        for number in range(rounds):
            rough = coarse and number == 0
            loss = "cauchy" if rough else "soft_l1"
            scale = (5.0 if rough else 1.0) * self.refinement.loss_px
            at = solution

            def residuals(x: Array, at: Solution = at) -> Array:
                return np.concatenate([self.errors(self.moved(at, x)).ravel(), self._pull(at, x)])

            size = self.size(at)
            fit = least_squares(
                residuals, np.zeros(size), loss=loss, f_scale=scale, x_scale=self._steps(size), max_nfev=60
            )
            before = solution.order
            solution = self.reordered(self.moved(at, fit.x))
            if number and (before == solution.order).all():
                break
        return solution

    def size(self, solution: Solution) -> int:
        """How many numbers are fitted."""
        return _TRANSFORM * (1 + len(solution.boards)) + len(self._usual())

    def moved(self, at: Solution, x: Array) -> Solution:
        """The solution ``at`` changed by x: motions of the camera and the boards in their own frames, then the rest."""
        poses = (np.concatenate([at.camera[None], at.boards])) @ transforms(
            x[: _TRANSFORM * (1 + len(at.boards))].reshape(-1, _TRANSFORM)
        )
        rest, i = x[_TRANSFORM * len(poses) :], 0
        changes: dict[str, Any] = {}
        if self.refinement.intrinsics:
            scale = np.array([at.lens[0], at.lens[1], *(1.0,) * 7])
            changes["lens"], i = at.lens + rest[:9] * scale, 9
        if self.chain is not None and (self.refinement.joint_offsets or self.refinement.link_lengths):
            count = self.chain.joints
            old = [v if len(v) else np.zeros(count) for v in (at.offsets, at.longer, at.higher)]
            if self.refinement.joint_offsets:
                old[0], i = old[0] + rest[i : i + count], i + count
            if self.refinement.link_lengths:
                old[1], old[2] = old[1] + rest[i : i + count], old[2] + rest[i + count : i + 2 * count]
            changes |= {"offsets": old[0], "longer": old[1], "higher": old[2]}
        return replace(at, camera=poses[0], boards=poses[1:], **changes)

    def jacobian(self, solution: Solution) -> Array:
        """(P, 2, S) pixels by each number that is fitted."""
        size = self.size(solution)
        steps = self._steps(size) * 1e-4
        columns = []
        for k in range(size):
            x = np.zeros(size)
            x[k] = steps[k]
            ahead, behind = self.errors(self.moved(solution, x)), self.errors(self.moved(solution, -x))
            columns.append((ahead - behind) / (2 * steps[k]))
        return np.stack(columns, axis=-1)

    def held(self, solution: Solution) -> Array:
        """(S, S) information that the usual sizes of what is fitted beside the poses add."""
        usual = self._usual()
        return np.diag(np.concatenate([np.zeros(self.size(solution) - len(usual)), 1 / usual**2]))

    @property
    def _no_order(self) -> NDArray[np.intp]:
        return np.zeros(len(self.views), np.intp)

    def _usual(self) -> Array:
        """Usual size of each number beside the poses."""
        r, found = self.refinement, []
        if r.intrinsics:
            found += [r.usual_focal] * 2 + [r.usual_centre_px] * 2 + [r.usual_lens] * 2 + [r.usual_lens / 10] * 2
            found += [r.usual_lens]
        if self.chain is not None:
            if r.joint_offsets:
                found += [np.radians(r.usual_offset_deg)] * self.chain.joints
            if r.link_lengths:
                found += [r.usual_length_mm * 1e-3] * (2 * self.chain.joints)
        return np.array(found)

    def _steps(self, size: int) -> Array:
        usual = self._usual()
        return np.concatenate([np.tile(_STEP, (size - len(usual)) // _TRANSFORM), usual])

    def _pull(self, at: Solution, x: Array) -> Array:
        """What is fitted beside the poses, in its usual sizes, from where it was said to be."""
        usual = self._usual()
        if not len(usual):
            return usual
        moved, total = self.moved(at, x), []
        if self.refinement.intrinsics:
            total.append((moved.lens - self.lens) / np.array([self.lens[0], self.lens[1], *(1.0,) * 7]))
        if self.chain is not None and self.refinement.joint_offsets:
            total.append(moved.offsets)
        if self.chain is not None and self.refinement.link_lengths:
            total += [moved.longer, moved.higher]
        return np.concatenate(total) / usual


def transforms(x: Array) -> Array:
    """(N, 4, 4) of rotation vectors and translations (N, 6)."""
    found = np.broadcast_to(np.eye(4), (len(x), 4, 4)).copy()
    found[:, :3, :3] = Rotation.from_rotvec(x[:, :3]).as_matrix()
    found[:, :3, 3] = x[:, 3:]
    return found
