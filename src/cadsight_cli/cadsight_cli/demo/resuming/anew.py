"""Pieces of a run that are made again beside the old ones, and take their place when they are complete."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cadsight_core.storage.folders.run_folder import RunFolder
from cadsight_core.storage.output_folder import exchange, remove_entries

from cadsight_cli.demo.resuming.ownership import entries_of_ours


def beside(run: RunFolder) -> RunFolder:
    """Where pieces are made that are to take the place of those of ``run``."""
    return RunFolder(run.folder / "anew")


def put_in_place(run: RunFolder, new: Path, say: Callable[[str], None] = print) -> None:
    """Let the complete folder ``new`` of :func:`beside` take the place of the old one in one step.

    What others put into the old one is kept beside it, and this is reported.
    """
    old = run.folder / new.relative_to(beside(run).folder)
    old.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(old):
        new.rename(old)
        return
    own = entries_of_ours(run, old)
    # Under its last name before the step: after a kill nobody takes the old piece for one that is being made.
    aside = Path(tempfile.mkdtemp(prefix=f"{old.name}.kept-", dir=old.parent))
    new.rename(aside)
    exchange(aside, old)
    if not remove_entries(aside, own):
        say(f"{old} was replaced, and what others put there was moved to {aside}")


def discard(run: RunFolder, step: str) -> None:
    """Remove what was begun beside for an earlier change of ``step``; the old piece is not touched."""
    made = beside(run)
    for name in _PIECES.get(step, ()):
        piece = made.folder / name
        if piece.is_dir():
            remove_entries(piece, entries_of_ours(made, piece))


_PIECES = {
    **{f"capture_{split}": (f"sessions/{split}",) for split in ("train", "valid", "test")},
    "data": ("composed", "yolo", "coco", "regression"),
    "train_detector": ("models/detector",),
    "train_normals": ("models/normals",),
}
