"""A first answer from many views, of which some are wrong and most are ambiguous.

A flat board seen once has two poses that fit nearly alike, mirrored in their tilt, and a symmetric one as many again.
So none is believed: three views with each of their poses give candidates for the whole, and the one under which most
views fit is taken (RANSAC).
"""

import itertools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from cadsight_core.camera import Camera
from cadsight_core.geometry import Array
from numpy.typing import NDArray

from cadsight_calibration.camera.projection import numbers_of
from cadsight_calibration.data.reading import inverse
from cadsight_calibration.fitting.closed_form import solve
from cadsight_calibration.fitting.views import Views

TRIPLES = 250
# Radians by which the turn between two views may differ from the arm's: what a pose from one view is off by.
_MOST_APART = 0.2
# A view that misses by a tenth of the image's width counts no worse than one that misses by more.
_FARTHEST = 0.1
_POINTS = 12
_KEPT = 6


@dataclass(frozen=True, eq=False)
class Candidate:
    """X and Y (4, 4) of :mod:`closed_form`, and how far views miss under them, in pixels (lower is better)."""

    camera: Array
    board: Array
    score: float


def board_poses(views: Views, camera: Camera) -> list[Array]:
    """For each view all its poses (K, 4, 4) of the board in the camera: two for each of its orders (IPPE)."""
    lens = np.array(camera.distortion if camera.distortion else (0.0,) * 4)
    found: list[Array] = []
    for i in range(len(views)):
        own = views.view == i
        poses = []
        for points in views.points[:, own]:
            # A tag grid may show points that lie in one line; they have no pose.
            if np.linalg.matrix_rank(points - points.mean(0), tol=1e-6) < 2:
                continue
            _, rotations, translations, _ = cv2.solvePnPGeneric(
                np.ascontiguousarray(points), views.pixels[own], camera.matrix, lens, flags=cv2.SOLVEPNP_IPPE
            )
            for rotation, translation in zip(rotations, translations, strict=True):
                pose = np.eye(4)
                pose[:3, :3], pose[:3, 3] = cv2.Rodrigues(rotation)[0], np.ravel(translation)
                if np.isfinite(pose).all():
                    poses.append(pose)
        found.append(np.array(poses).reshape(-1, 4, 4))
    return found


def candidates(
    views: Views, motions: Array, camera: Camera, seed: int = 0, most_triples: int = TRIPLES
) -> list[Candidate]:
    """The best few answers of triples of views, best first; none where no triple has one.

    Args:
        motions: (V, 4, 4) as in :mod:`closed_form`.
        seed: of the choice of triples; most_triples: how many are tried.
    """
    rng = np.random.default_rng(seed)
    poses = board_poses(views, camera)
    usable = [i for i in range(len(views)) if len(poses[i])]
    if len(usable) < 3:
        return []
    thin, lens = views.thinned(_POINTS), numbers_of(camera)
    farthest = _FARTHEST * camera.size.width
    triples = list(itertools.combinations(usable, 3)) if len(usable) < 10 else []
    if not triples or len(triples) > most_triples:
        triples = [tuple(rng.choice(usable, 3, replace=False)) for _ in range(most_triples)]
    best: list[Candidate] = []
    for triple in triples:
        # Another order in all views is the same answer with another board, so the first view needs one order alone.
        per_order = len(poses[triple[0]]) // views.orders or 1
        kinds = [range(per_order), *(range(len(poses[i])) for i in triple[1:])]
        pairs = [_turned_alike(motions[[i, j]], poses[i], poses[j]) for i, j in itertools.combinations(triple, 2)]
        for choice in itertools.product(*kinds):
            first, second, third = choice
            if not (pairs[0][first, second] and pairs[1][first, third] and pairs[2][second, third]):
                continue
            boards = np.stack([poses[i][k] for i, k in zip(triple, choice, strict=True)])
            answer = solve(motions[list(triple)], boards)
            if answer is None:
                continue
            _, rms = thin.best_orders(inverse(answer[0]) @ motions @ answer[1], lens)
            best.append(Candidate(*answer, float(np.minimum(rms, farthest).mean())))
        best = sorted(best, key=lambda c: c.score)[:_KEPT]
    return best


def _turned_alike(motions: Array, first: Array, second: Array) -> NDArray[np.bool_]:
    """(K, L) whether the board turned as far as the arm did, with each pose (K, 4, 4) and (L, 4, 4) of two views."""
    arm = _turn(np.trace(motions[1, :3, :3] @ motions[0, :3, :3].T))
    seen = _turn(np.einsum("kij,lij->kl", first[:, :3, :3], second[:, :3, :3]))
    return np.asarray(abs(seen - arm) <= _MOST_APART)


def _turn(trace: Any) -> Any:
    """Radians of turns by the traces of their matrices."""
    return np.arccos(np.clip((trace - 1) / 2, -1, 1))
