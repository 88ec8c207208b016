"""The hand-eye equation in closed form.

With ``motion`` the tool in the base (eye to hand) or the base in the tool (eye in hand), every view says
``X C_i = M_i Y``: X is the camera where it is fixed, Y the board where it is fixed, C_i the board in the camera.
OpenCV 5 has no calibrateHandEye and no calibrateRobotWorldHandEye any more.
"""

import numpy as np
from cadsight_core.geometry import Array
from scipy.spatial.transform import Rotation

from cadsight_calibration.data.reading import inverse

# Two relative motions about axes nearer to each other than this leave the camera's turn undetermined.
_LEAST_SPREAD = 1e-3


def solve(motions: Array, boards: Array) -> tuple[Array, Array] | None:
    """X and Y (4, 4) of motions and boards (N, 4, 4), N at least 3; None where they do not determine them.

    The rotation of X turns the axes of the relative motions of the board onto those of the arm (Park and Martin 1994,
    equation 22, by a singular value decomposition); both translations are least squares of the linear equations left
    (Zhuang, Roth and Sudhakar 1994, equation 14).
    """
    count = len(motions)
    first, second = np.triu_indices(count, 1)
    arm = Rotation.from_matrix((motions[second] @ inverse(motions[first]))[:, :3, :3]).as_rotvec()
    seen = Rotation.from_matrix((boards[second] @ inverse(boards[first]))[:, :3, :3]).as_rotvec()
    u, s, vt = np.linalg.svd(arm.T @ seen)
    if s[1] < _LEAST_SPREAD:
        return None
    camera = np.eye(4)
    camera[:3, :3] = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    turned = np.einsum("nji,njk->ik", motions[:, :3, :3], camera[:3, :3] @ boards[:, :3, :3])
    u, _, vt = np.linalg.svd(turned)
    board = np.eye(4)
    board[:3, :3] = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    left = np.zeros((count, 3, 6))
    left[:, :, :3] = np.eye(3)
    left[:, :, 3:] = -motions[:, :3, :3]
    right = motions[:, :3, 3] - boards[:, :3, 3] @ camera[:3, :3].T
    found, *_ = np.linalg.lstsq(left.reshape(-1, 6), right.ravel(), rcond=None)
    camera[:3, 3], board[:3, 3] = found[:3], found[3:]
    return camera, board
