"""The pool: a decision for each image, and what is kept on the disk with its features in memory."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.imaging.images import Rgb, encode_image

from cadsight_active.pool.features.neighbours import NEWEST, Neighbours
from cadsight_active.pool.features.slots import FeatureKey, FeatureSet
from cadsight_active.pool.policy import PoolOptions, asked, why_kept
from cadsight_active.pool.seen import Seen, Why, sha256_of
from cadsight_active.pool.store import Store, opened_store

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class Decision:
    """What becomes of an image.

    Attributes:
        verdict: kept; or left out as a duplicate of a kept one, as one that the model knows, or because the pool is
            full of images that are as informative. A :class:`cadsight_active.pool.keeper.Keeper` says too_soon of one
            that it does not offer, and refused of one that is no image or that the disk did not take.
        number: of the image that is kept; None of another.
        why: None of a duplicate and of one that the model knows.
        duplicate_distance: of its features to the nearest of a kept image; infinite where none is known.
        gone: the numbers of the images that went for it.
    """

    verdict: Literal["kept", "duplicate", "known", "full", "too_soon", "refused"]
    number: int | None = None
    why: Why | None = None
    duplicate_distance: float = np.inf
    gone: tuple[int, ...] = ()


@contextlib.contextmanager
def opened_pool(folder: str | Path, options: PoolOptions | None = None) -> Iterator["Pool"]:
    """The pool in ``folder``, made where it is missing, for this process alone.

    Raises:
        CadsightError: as :func:`cadsight_active.pool.store.opened_store`, and when features cannot be read.
    """
    with opened_store(folder) as store:
        yield Pool(store, options or PoolOptions())


class Pool:
    """Keeps what is worth a label. :meth:`offer` is for one thread; the store may be asked from others meanwhile.

    Features are compared with those of the same network alone: of a new model every object is new at first, and so is
    every image, unless the features of images are those of a network that is never trained.

    Args:
        store: where it is kept.
    """

    def __init__(self, store: Store, options: PoolOptions) -> None:
        self.store, self.options = store, options
        self._known: dict[FeatureKey, Neighbours] = {}
        for one in store.feature_sets_of_last():
            self._neighbours(one.key)

    def decide(self, seen: Seen) -> Decision:
        """What would become of an image, by what was seen in it; "kept" without a number. Nothing is written."""
        return self._decide(asked(seen, self.options))

    def offer(self, image: Rgb, seen: Seen) -> Decision:
        """Keep an image (H, W, 3) if it is worth a label; a number in the answer says that it is on the disk.

        Raises:
            DiskRefusedError: when the disk is full or refuses the bytes; the pool stays as it was.
            CadsightError: for an image that is none.
        """
        counted = asked(seen, self.options)
        decision = self._decide(counted)
        if decision.why is None:
            return decision
        png = encode_image(image)
        if self.store.number_of(sha256_of(png)) is not None:
            return Decision("duplicate", duplicate_distance=0.0)
        added = self.store.add(png, counted, decision.why, self.options.max_bytes)
        if added is None:
            return Decision("full", None, decision.why, decision.duplicate_distance)
        for key, slots in added.freed:
            if key in self._known:
                self._known[key].forget(np.array(slots, np.int64))
        if added.image_slot >= 0:
            self._remember("image", seen.image_model, [added.image_slot], counted.image_features[None])
        if added.object_slots:
            self._remember("object", seen.model, list(added.object_slots), counted.object_features)
        return Decision("kept", added.number, decision.why, decision.duplicate_distance, added.gone)

    def _decide(self, seen: Seen) -> Decision:
        distance = np.inf
        if seen.image_features.size:
            known = self._neighbours(FeatureKey("image", seen.image_model, seen.image_features.size))
            distance = float(known.nearest(seen.image_features[None]).distances[0])
            if distance <= self.options.duplicate_distance:
                return Decision("duplicate", duplicate_distance=distance)
        objects: Array = np.zeros(0)
        if seen.object_features.size:
            known = self._neighbours(FeatureKey("object", seen.model, seen.object_features.shape[1]))
            objects = known.nearest(seen.object_features).distances
        why = why_kept(seen.scores, objects, self.options)
        return Decision("known" if why is None else "kept", None, why, distance)

    def _neighbours(self, key: FeatureKey) -> Neighbours:
        if key not in self._known:
            # Those of the model before are read again should it come back.
            for other in [k for k in self._known if k.kind == key.kind]:
                del self._known[other]
            found = next((s for s in self.store.feature_sets() if s.key == key), None)
            self._known[key] = (
                Neighbours(key.width, self.options.seed) if found is None else _read(found, self.options.seed)
            )
        return self._known[key]

    def _remember(self, kind: str, model: str, slots: list[int], vectors: np.ndarray) -> None:
        key = FeatureKey(kind, model, vectors.shape[1])
        known = self._neighbours(key)
        places = np.array(slots, np.int64)
        anew = known.put(places, vectors)
        if known.planes is None:
            return
        shards = self.store.shards_of(key)
        # They can be made again from the features, so a disk that refuses them costs time when the pool is opened.
        with contextlib.suppress(OSError, CadsightError):
            if anew:
                shards.save_planes(known.planes, _codes(known))
            else:
                shards.write_codes(slots, known.codes(places))


def _read(stored: FeatureSet, seed: int) -> Neighbours:
    planes, codes = stored.shards.known_codes()
    known = Neighbours(stored.key.width, seed, planes)
    stored.shards.read_into(known.fill(stored.rows, np.array(stored.free, np.int64), codes))
    # The last may have been on their way to the disk at a power cut.
    anew = known.sort(max(0, min(len(codes), stored.rows) - 2 * NEWEST))
    if known.planes is not None and (anew or len(codes) < stored.rows):
        with contextlib.suppress(OSError, CadsightError):
            stored.shards.save_planes(known.planes, _codes(known))
    return known


def _codes(known: Neighbours) -> Iterator[np.ndarray]:
    for first in range(0, known.rows, _ROWS_AT_ONCE):
        yield known.codes(np.arange(first, min(first + _ROWS_AT_ONCE, known.rows)))
