"""Folders that are written as a whole, and the rule that nothing is removed but what we wrote.

A folder is ours when everything in it stands on the list that was written into it (:data:`MARK`), or, where an earlier
version wrote none, on the one that its format's own files give. It is written beside its place and swapped when it is
complete; of the old one the listed entries are removed one by one, so that what is not listed cannot be lost.
"""

import contextlib
import ctypes
import errno
import fcntl
import glob
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath

from cadsight_core.errors import CadsightError
from cadsight_core.storage.documents import document_in
from cadsight_core.storage.json_text import json_text

MARK = ".cadsight-output"
_FORMAT = "cadsight-output-1"
_BESIDE = ".cadsight-work"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2

# The entries of a folder without a mark that are ours by its format, None where it is no such folder.
Earlier = Callable[[Path], Collection[str] | None]


def no_earlier(_folder: Path) -> None:
    """No folder without a mark is ours."""


@contextlib.contextmanager
def whole_folder(
    folder: str | Path, *, earlier: Earlier = no_earlier, replace: bool = True, made: bool = True
) -> Iterator[Path]:
    """A folder to write in that becomes ``folder`` at the end, or vanishes when anything is raised.

    A kill at any moment leaves the old folder or the new one (where the file system cannot exchange two folders, a
    kill between two renames leaves the old one beside its place, under a hidden name).

    Args:
        earlier: recognises what an earlier version wrote without a mark.
        replace: whether a folder of ours is replaced, and the one that is written now may be.
        made: whether the folder to write in is there, else only its parent.

    Raises:
        CadsightError: when ``folder`` is no folder, the working folder, holds what we did not write, or cannot be made.
    """
    target = refuse_foreign(folder, earlier=earlier, replace=replace)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_after_kills(target)
        holder, lock = _holder(target)
    except OSError as error:
        raise CadsightError(f"the folder {target} could not be made: {error.strerror or error}") from error
    work = holder / target.name
    try:
        if made:
            work.mkdir()
        yield work
        if replace:
            (work / MARK).write_text(json_text({"format": _FORMAT, "entries": sorted(_entries(work))}) + "\n")
        _put(work, target, earlier, replace)
    except OSError as error:
        raise CadsightError(f"{target} could not be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(holder, ignore_errors=True)
        os.close(lock)


def refuse_foreign(folder: str | Path, *, earlier: Earlier = no_earlier, replace: bool = True) -> Path:
    """The absolute path of ``folder``, which is missing, empty, or (with ``replace``) ours alone.

    Raises:
        CadsightError: otherwise, naming what is in it that we did not write, and for the working folder.
    """
    try:
        target = Path(folder).resolve()
        there = next(path for path in (target, *target.parents) if os.path.lexists(path))
        if not there.is_dir():
            raise CadsightError(f"{there} is no folder, expected one, or a name that is free")
        if there != target:
            return target
        with contextlib.suppress(FileNotFoundError):  # a working folder that is gone holds nothing
            working = Path.cwd()
            if target == working or target in working.parents:
                raise CadsightError(f"{target} is the working folder or holds it, expected a folder inside it")
        own = own_entries(target, earlier) if replace else set()
        foreign = next((entry for entry in _entries(target) if entry not in own or not _plain(target / entry)), None)
    except (OSError, RuntimeError) as error:  # a RuntimeError for links that lead in a circle
        raise CadsightError(f"the folder {folder} could not be looked at: {error}") from error
    if foreign is not None:
        files = "holds files that are no earlier result of ours"
        raise CadsightError(f"{target} {files}, such as {foreign}, expected a new or empty folder")
    return target


def remove_entries(folder: Path, own: Collection[str]) -> bool:
    """Remove the entries ``own`` of ``folder`` one by one, and itself when nothing is left; whether it is gone."""
    for entry in list(_entries(folder)):
        path = folder / entry
        if entry in own and _plain(path):
            with contextlib.suppress(OSError):  # a folder that holds what is not ours
                path.rmdir() if path.is_dir() else path.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def with_parents(files: Collection[str]) -> set[str]:
    """The entries of a folder that holds ``files``: they and the folders that they lie in."""
    return {*files, *(str(parent) for file in files for parent in PurePosixPath(file).parents)} - {"."}


def own_entries(target: Path, earlier: Earlier = no_earlier) -> set[str]:
    """The entries of ``target`` that we wrote, by their paths there."""
    mark = target / MARK
    if not _plain(mark) or mark.is_dir():
        return with_parents(earlier(target) or ())
    document = document_in(mark.read_bytes(), _FORMAT)
    entries = document.get("entries") if document else None
    return with_parents(entries) | {MARK} if isinstance(entries, list) else set()


def _entries(folder: Path) -> Iterator[str]:
    """Everything in ``folder`` by its path there, what is inside before what it is in; links are not followed."""

    def fail(error: OSError) -> None:
        raise error

    for root, folders, files in os.walk(folder, topdown=False, onerror=fail):
        for name in (*files, *folders):
            yield (Path(root) / name).relative_to(folder).as_posix()


def _plain(path: Path) -> bool:
    """Whether ``path`` is a file or folder, and no link or device in its place."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _holder(target: Path) -> tuple[Path, int]:
    """A hidden folder beside ``target`` and the lock that tells others that its process lives."""
    while True:
        holder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_BESIDE, dir=target.parent))
        lock = os.open(holder, os.O_RDONLY | os.O_CLOEXEC)
        # Another process that clears up may have taken it for a leftover before the lock was there.
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (holder / _BESIDE).touch()
            return holder, lock
        os.close(lock)


def _clear_after_kills(target: Path) -> None:
    """Remove the hidden folders of processes that were killed while they wrote ``target``."""
    name = re.compile(rf"\.{re.escape(target.name)}\.[a-z0-9_]{{8}}{re.escape(_BESIDE)}")
    for holder in target.parent.glob(f".{glob.escape(target.name)}.*{_BESIDE}"):
        if not name.fullmatch(holder.name) or not _plain(holder / _BESIDE):
            continue
        lock = os.open(holder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(holder, ignore_errors=True)
        finally:
            os.close(lock)


def _put(work: Path, target: Path, earlier: Earlier, replace: bool) -> None:
    """Let ``work`` become ``target``, and remove of the old one what is ours."""
    if not os.path.lexists(target):
        work.rename(target)
        return
    refuse_foreign(target, earlier=earlier, replace=replace)
    own = own_entries(target, earlier)
    exchange(work, target)
    if not remove_entries(work, own):
        kept = Path(tempfile.mkdtemp(prefix=f"{target.name}.kept-", dir=target.parent))
        work.rename(kept)
        raise CadsightError(f"{target} was replaced, and what others put there meanwhile was moved to {kept}")


def exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step, or in three where the file system knows no such step."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        if not libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
            return
        number = ctypes.get_errno()
        if number not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(number, os.strerror(number))
    aside = one.with_name(f"{one.name}.old")
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
    aside.rename(one)
