"""Files that are old or new, never half, folders of one process, and names that stay inside their folder."""

import contextlib
import fcntl
import glob
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cadsight_core.errors import CadsightError


def write_atomically(path: str | Path, data: bytes | str) -> None:
    """Write ``data`` (text as UTF-8) so that a kill at any moment leaves the old file or the new one.

    Raises:
        CadsightError: when the folder is missing or the disk refuses the bytes; the old file is kept.
    """
    with writing_atomically(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def writing_atomically(path: str | Path, *, flushed: bool = True) -> Iterator[IO[bytes]]:
    """A file to write piece by piece that becomes ``path`` at the end, or vanishes when anything is raised.

    Not ``flushed`` to the disk, which takes a while for each file, it is whole after a kill and not after a power cut.

    Raises:
        CadsightError: when the folder is missing or the disk refuses the bytes; the old file is kept.
    """
    path = Path(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            if flushed:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise CadsightError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def halves_of(path: Path) -> list[Path]:
    """What kills left of writing ``path``, which never became it."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}")
    return [half for half in path.parent.glob(f".{glob.escape(path.name)}.*") if name.fullmatch(half.name)]


def append_line(path: str | Path, text: str) -> None:
    """Append one line to ``path`` and flush it to the disk; a failed append leaves the file as it was.

    Raises:
        CadsightError: when the disk refuses the bytes.
    """
    path = Path(path)
    try:
        with open(path, "ab", buffering=0) as file:
            end = file.tell()
            payload = (text + "\n").encode()
            try:
                written = file.write(payload)
                if written != len(payload):
                    raise OSError(28, "only a part of the line fitted on the disk")
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
    except OSError as error:
        raise CadsightError(f"{path} could not be extended: {error.strerror or error}") from error


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it lies in, where they are missing.

    Raises:
        CadsightError: when that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CadsightError(f"the folder {folder} could not be made: {error.strerror or error}") from error


@contextlib.contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Be the only process that works in ``folder``, made where it is missing, until the body ends or the process dies.

    A folder that was made for a body that raises before it wrote anything vanishes again.

    Raises:
        CadsightError: while another one works there, and for a folder that cannot be made.
    """
    try:
        made = not os.path.lexists(folder)
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CadsightError(f"{folder} could not be made a folder: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CadsightError(
                f"another process works in {folder}, expected to wait for its end, or another folder"
            ) from error
        try:
            yield
        except BaseException:
            if made:
                with contextlib.suppress(OSError):  # what was written into it stays
                    os.rmdir(folder)
            raise
    finally:
        os.close(lock)


def inside(folder: str | Path, name: str | Path) -> Path:
    """The absolute path of ``name`` in ``folder``.

    Raises:
        CadsightError: when ``name`` is absolute or leads out of ``folder``.
    """
    base = Path(folder).resolve()
    path = resolved(base, name)
    if path != base and base not in path.parents:
        raise CadsightError(f"the name {str(name)!r} leads out of the folder {base}, expected a name inside it")
    return path


def resolved(folder: str | Path, name: str | Path) -> Path:
    """The absolute path of ``name`` seen from ``folder``, wherever it leads.

    Raises:
        CadsightError: when no file can be called so.
    """
    try:
        return (Path(folder) / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a zero byte
        raise CadsightError(f"the name {str(name)!r} is that of no file: {error}") from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
