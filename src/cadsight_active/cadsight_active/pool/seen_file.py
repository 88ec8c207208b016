"""A file of what was seen in images, for another process to keep."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cadsight_core.storage.files import writing_atomically

from cadsight_active.pool.seen import Seen


def save_seen(path: Path, seen: Sequence[Seen]) -> None:
    """Write what :func:`load_seen` reads.

    Raises:
        CadsightError: when the disk refuses it.
    """
    with writing_atomically(path) as file:
        np.savez(
            file,
            counts=np.array([len(one.boxes) for one in seen], np.int64),
            boxes=_joined([one.boxes for one in seen]),
            scores=_joined([one.scores for one in seen]),
            object_features=_joined([one.object_features for one in seen]),
            image_features=np.stack([one.image_features for one in seen]) if seen else np.zeros((0, 0), np.float32),
            models=np.array([(one.model, one.image_model) for one in seen], "U64").reshape(-1, 2),
        )


def load_seen(path: Path) -> list[Seen]:
    """What :func:`save_seen` wrote."""
    with np.load(path) as data:
        ends = np.cumsum(data["counts"])[:-1]
        boxes, scores, objects = (np.split(data[name], ends) for name in ("boxes", "scores", "object_features"))
        images, models = data["image_features"], data["models"].tolist()
        return [
            Seen(0, boxes[n], scores[n], objects[n], images[n], model, image_model)
            for n, (model, image_model) in enumerate(models)
        ]


def _joined(rows: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)
