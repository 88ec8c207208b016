"""Input number N of a reader: the same at every call."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fuzzing.mutation import mutated
from fuzzing.reader import Reader


@dataclass(frozen=True)
class Input:
    """One file of a seed, changed.

    Attributes:
        seed: the folder that holds it.
        file: the file in it.
        data: what it is to hold.
        whole: what the seed's files that may be changed hold when nobody changed them.
    """

    seed: Path
    file: Path
    data: bytes
    whole: Mapping[Path, bytes]

    def put(self) -> None:
        """Change the file."""
        self.file.write_bytes(self.data)

    def take_back(self) -> None:
        """Let the file be as it was."""
        self.file.write_bytes(self.whole[self.file])


class Inputs:
    """The inputs of ``reader``, made of the seeds in ``folder``.

    Args:
        seed: another one gives other inputs.
    """

    def __init__(self, reader: Reader, folder: Path, seed: int) -> None:
        self._reader, self._seed = reader, seed
        self.seeds = tuple(sorted(p for p in folder.iterdir() if p.is_dir()))
        self._files: Mapping[Path, tuple[Path, ...]] = {seed: self._changeable(seed) for seed in self.seeds}
        self._data = {file: file.read_bytes() for files in self._files.values() for file in files}

    def __getitem__(self, number: int) -> Input:
        rng = Random(f"{self._seed} {self._reader.name} {number}")
        seed = rng.choice(self.seeds)
        file = rng.choice(self._files[seed])
        others = [data for other, data in self._data.items() if other.suffix == file.suffix]
        whole = {file: self._data[file] for file in self._files[seed]}
        return Input(seed, file, mutated(self._data[file], file.suffix, others, rng), whole)

    def _changeable(self, seed: Path) -> tuple[Path, ...]:
        return tuple(sorted(f for f in seed.rglob("*") if f.is_file() and f.suffix.lower() in self._reader.suffixes))
