"""Where a view alone says that the camera is, beginning from where it should be."""

from dataclasses import replace

import numpy as np
from cadsight_core.geometry import Array
from scipy.optimize import least_squares

from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fitting.problem import Problem, Solution, transforms


def twists(problem: Problem, solution: Solution) -> Array:
    """(V, 6) rotation vector and translation of the camera, in its own frame, that make each view fit by itself.

    They begin at none, since the pose of a flat board from nowhere may be the mirrored one.
    """
    found = np.empty((len(problem.views), 6))
    for i in range(len(found)):
        one = problem.taken([i])
        own = replace(solution, order=solution.order[[i]])
        pose, points = one.camera_from_board(own), one.views.chosen(own.order)

        def errors(x: Array, pose: Array = pose, points: Array = points, one: Problem = one) -> Array:
            return one.views.errors(inverse(transforms(x[None])) @ pose, solution.lens, points).ravel()

        found[i] = least_squares(errors, np.zeros(6), x_scale=0.01).x
    return found
