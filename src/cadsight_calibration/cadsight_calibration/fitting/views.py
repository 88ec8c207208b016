"""All boards that a camera saw, flat in memory so that every point of every view is projected in one call."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_calibration.boards.found import Found
from cadsight_calibration.camera.projection import project


@dataclass(frozen=True, eq=False)
class Views:
    """V views of a board with P points in all, which looks the same in O orders.

    Attributes:
        names: of the images.
        pixels: (P, 2); points: (O, P, 3) metres in the board; view: (P,) index of each point's view.
    """

    names: tuple[str, ...]
    pixels: Array
    points: Array
    view: NDArray[np.intp]

    @staticmethod
    def of(names: Sequence[str], found: Sequence[Found]) -> "Views":
        view = np.repeat(np.arange(len(found)), [len(f.pixels) for f in found])
        points = np.concatenate([f.points for f in found], axis=1)
        return Views(tuple(names), np.concatenate([f.pixels for f in found]), points, view)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def orders(self) -> int:
        return len(self.points)

    def taken(self, keep: Sequence[int] | NDArray[np.intp]) -> "Views":
        """Some of the views, in the order given."""
        rows = [np.flatnonzero(self.view == i) for i in keep]
        view = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
        flat = np.concatenate(rows) if rows else np.zeros(0, int)
        return Views(tuple(self.names[i] for i in keep), self.pixels[flat], self.points[:, flat], view)

    def thinned(self, most: int) -> "Views":
        """At most so many points of each view, spread over it."""
        rows = []
        for i in range(len(self)):
            own = np.flatnonzero(self.view == i)
            rows.append(own[np.unique(np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(int))])
        flat = np.concatenate(rows)
        return Views(self.names, self.pixels[flat], self.points[:, flat], self.view[flat])

    def chosen(self, order: NDArray[np.intp]) -> Array:
        """(P, 3) points with each view in its order (V,)."""
        return self.points[order[self.view], np.arange(len(self.view))]

    def errors(self, camera_from_board: Array, lens: Array, points: Array) -> Array:
        """(P, 2) pixels by which points (P, 3), placed by poses (V, 4, 4), miss those that were found."""
        pose = camera_from_board[self.view]
        at = (pose[:, :3, :3] @ points[..., None])[..., 0] + pose[:, :3, 3]
        return project(at, lens) - self.pixels

    def rms(self, errors: Array) -> Array:
        """(V,) root mean square length in pixels of errors (P, 2)."""
        squares = np.bincount(self.view, (errors**2).sum(-1), len(self))
        return np.sqrt(squares / np.bincount(self.view, minlength=len(self)))

    def mean(self, values: Array) -> Array:
        """(V, 3) means over each view's points of values (P, 3)."""
        sums = np.stack([np.bincount(self.view, values[:, i], len(self)) for i in range(3)], axis=-1)
        return np.asarray(sums / np.bincount(self.view, minlength=len(self))[:, None], float)

    def best_orders(self, camera_from_board: Array, lens: Array) -> tuple[NDArray[np.intp], Array]:
        """For each view the order that fits best, and its root mean square in pixels."""
        rms = np.stack([self.rms(self.errors(camera_from_board, lens, points)) for points in self.points])
        # Points behind the camera are put before it, where they might seem to fit.
        centre = self.mean(self.points[0])
        depth = (camera_from_board[:, 2, :3] * centre).sum(-1) + camera_from_board[:, 2, 3]
        rms[:, depth <= 0] = 1e6
        return rms.argmin(axis=0), rms.min(axis=0)
