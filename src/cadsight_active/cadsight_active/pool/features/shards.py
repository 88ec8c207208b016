"""Features of one network on the disk: rows of half precision in files of 65536 rows."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import halves_of, make_folder, writing_atomically
from numpy.typing import NDArray

from cadsight_active.pool.features.planes import TABLES, Planes

_ROWS = 65_536
_PLANES = "planes.npz"


class Shards:
    """A folder of rows (N, D). Which of them count is written elsewhere; a row beyond those is overwritten.

    Args:
        width: D.
    """

    def __init__(self, folder: Path, width: int) -> None:
        self.folder, self.width = folder, width
        self._bytes = 2 * width

    def write(self, slots: Sequence[int], vectors: NDArray[np.floating]) -> None:
        """Write ``vectors`` (K, D) into ``slots``; when it returns they are on the disk.

        Raises:
            OSError: when the disk refuses them.
        """
        rows = np.ascontiguousarray(vectors, "<f2")
        for shard in sorted({slot // _ROWS for slot in slots}):
            path = self._shard(shard)
            new = not path.exists()
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                for slot, row in zip(slots, rows, strict=True):
                    if slot // _ROWS == shard:
                        _write_at(file, row.tobytes(), slot % _ROWS * self._bytes)
                os.fdatasync(file)
            finally:
                os.close(file)
            if new:
                sync_folder(self.folder)

    def read_into(self, arrays: Sequence[NDArray[np.float16]]) -> None:
        """Fill ``arrays`` (n, D), one behind the other, with the first rows.

        Raises:
            CadsightError: when a file is missing or too short.
        """
        first = 0
        for array in arrays:
            done = 0
            while done < len(array):
                shard, row = divmod(first + done, _ROWS)
                count = min(_ROWS - row, len(array) - done)
                self._read(shard, row, array[done : done + count])
                done += count
            first += len(array)

    def rows(self, slots: NDArray[np.integer]) -> NDArray[np.float16]:
        """(K, D) in ``slots`` (K,).

        Raises:
            CadsightError: as :meth:`read_into`.
        """
        out = np.empty((len(slots), self.width), np.float16)
        for place, slot in enumerate(slots.tolist()):
            shard, row = divmod(slot, _ROWS)
            self._read(shard, row, out[place : place + 1])
        return out

    def save_planes(self, planes: Planes, codes: Iterator[NDArray[np.uint16]]) -> None:
        """Keep planes and the codes (n, 16) of all rows by them, some at a time.

        Raises:
            CadsightError: when the disk refuses them.
        """
        # Codes first away: those of other planes would lead astray, none are made anew.
        self._codes.unlink(missing_ok=True)
        with writing_atomically(self.folder / _PLANES) as file:
            np.savez(file, normals=planes.normals, offsets=planes.offsets, made_for=planes.made_for)
        with writing_atomically(self._codes) as file:
            for some in codes:
                file.write(np.ascontiguousarray(some, "<u2").tobytes())

    def write_codes(self, slots: Sequence[int], codes: NDArray[np.uint16]) -> None:
        """Keep ``codes`` (K, 16) of ``slots``, without waiting for the disk.

        A row whose code is lost, by a kill just before or a power cut, may be missed as a neighbour, and no more.

        Raises:
            OSError: when the disk refuses them.
        """
        if not self._codes.exists():
            return
        file = os.open(self._codes, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for slot, row in zip(slots, np.ascontiguousarray(codes, "<u2"), strict=True):
                _write_at(file, row.tobytes(), slot * 2 * TABLES)
        finally:
            os.close(file)

    def known_codes(self) -> tuple[Planes | None, NDArray[np.uint16]]:
        """Planes and codes (n, 16) of the first rows by them; files that are damaged count as missing."""
        try:
            with np.load(self.folder / _PLANES, allow_pickle=False) as file:
                planes = Planes(file["normals"], file["offsets"], int(file["made_for"]))
            if planes.normals.shape != (self.width, planes.offsets.size):
                return None, np.zeros((0, TABLES), np.uint16)
            codes = np.fromfile(self._codes, "<u2") if self._codes.exists() else np.zeros(0, np.uint16)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None, np.zeros((0, TABLES), np.uint16)
        return planes, codes[: len(codes) // TABLES * TABLES].reshape(-1, TABLES).astype(np.uint16, copy=False)

    def clean(self) -> None:
        """Take away what kills left of files that were written.

        Raises:
            CadsightError: when the folder cannot be made.
        """
        make_folder(self.folder)
        for name in (_PLANES, self._codes.name):
            for half in halves_of(self.folder / name):
                half.unlink()

    @property
    def _codes(self) -> Path:
        return self.folder / "codes.u16"

    def _shard(self, number: int) -> Path:
        return self.folder / f"{number:05d}.f16"

    def _read(self, shard: int, row: int, into: NDArray[np.float16]) -> None:
        path = self._shard(shard)
        try:
            with open(path, "rb", buffering=0) as file:
                file.seek(row * self._bytes)
                view = into.view(np.uint8).data.cast("B")
                done = 0
                while done < len(view):
                    some = file.readinto(view[done:])
                    if not some:
                        raise OSError(5, f"it ends after {path.stat().st_size} bytes")
                    done += some
        except OSError as error:
            raise CadsightError(
                f"the features {path} could not be read: {error.strerror}, expected the rows that the pool names"
            ) from error


def sync_folder(folder: Path) -> None:
    """Wait until the names in ``folder`` are on the disk.

    Raises:
        OSError: when the disk refuses that.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_at(file: int, data: bytes, place: int) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(file, data[done:], place + done)
