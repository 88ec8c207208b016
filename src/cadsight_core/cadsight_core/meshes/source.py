"""A file that is read, and the files beside it that it names."""

from dataclasses import dataclass
from pathlib import Path

from cadsight_core.errors import CadsightError
from cadsight_core.storage.files import inside


@dataclass(frozen=True, eq=False)
class Source:
    """The bytes of a file and where it lies."""

    path: Path
    data: bytes

    def beside(self, name: str) -> bytes:
        """The bytes of a file that this one names; programs on Windows write the names with backslashes.

        Raises:
            CadsightError: when it is missing or lies outside the folder.
        """
        path = inside(self.path.parent, name.strip().replace("\\", "/"))
        try:
            return path.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CadsightError(f"the file {name!r} that it needs could not be read: {reason}") from error
