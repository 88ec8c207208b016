"""Pieces of a run that are made again beside the old ones, and take their place when they are complete."""

import shutil
from pathlib import Path

from cadsight_report.run_folder import RunFolder


def beside(run: RunFolder) -> RunFolder:
    """Where pieces are made that are to take the place of those of ``run``."""
    return RunFolder(run.folder / "anew")


def put_in_place(run: RunFolder, new: Path) -> None:
    """Let the complete folder ``new`` of :func:`beside` take the place of the old one."""
    old = run.folder / new.relative_to(beside(run).folder)
    before = old.with_name(f".{old.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    old.parent.mkdir(parents=True, exist_ok=True)
    if old.exists():
        old.rename(before)
    new.rename(old)
    shutil.rmtree(before, ignore_errors=True)


def discard(run: RunFolder, step: str) -> None:
    """Remove what was begun beside for an earlier change of ``step``; the old piece is not touched."""
    for piece in _PIECES.get(step, ()):
        shutil.rmtree(beside(run).folder / piece, ignore_errors=True)


_PIECES = {
    **{f"capture_{split}": (f"sessions/{split}",) for split in ("train", "valid", "test")},
    "data": ("composed", "yolo", "coco", "regression"),
    "train_detector": ("models/detector",),
    "train_normals": ("models/normals",),
}
