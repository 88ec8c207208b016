"""What is fuzzed: a reader, files that it reads, and what it may raise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reader:
    """A reader of files.

    Attributes:
        name: as ``READERS=`` names it.
        suffixes: of the files that are changed, lower case; what else lies beside them stays.
        seeds: writes folders into a folder, each with files that are read without a word.
        read: reads such a folder. It may raise a CadsightError, and nothing else.
    """

    name: str
    suffixes: tuple[str, ...]
    seeds: Callable[[Path], None]
    read: Callable[[Path], None]
