"""Stamps record that a step was done, and with which inputs, so that doing it again takes no time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def fingerprint(root: Path, files: Iterable[Path], words: Iterable[str] = ()) -> str:
    """SHA-256 over the names and contents of `files` (below `root`) and over `words`."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in sorted(files):
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


class Stamps:
    """One small file a step, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, step: str, value: str) -> bool:
        file = self.folder / step
        return file.is_file() and file.read_text() == value

    def set(self, step: str, value: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / step).write_text(value)
