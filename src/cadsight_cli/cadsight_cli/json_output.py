"""What `--json FILE` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cadsight_core.storage.json_text import figures_text
from cadsight_core.storage.output_file import json_with, refuse_foreign_file, write_output


class JsonOutput:
    """A file of figures, which may take the place of an earlier one of the same command alone.

    Raises:
        CadsightError: at once, before anything is measured, when another file or a folder is there.
    """

    def __init__(self, path: str | None, *keys: str) -> None:
        """``keys`` are in each such file; without a ``path`` nothing is written."""
        self._path = Path(path) if path else None
        self._ours = json_with(*keys)
        if self._path is not None:
            refuse_foreign_file(self._path, self._ours)

    def write(self, data: Mapping[str, Any], indent: int = 1) -> None:
        """Write it and say where."""
        if self._path is not None:
            print(write_output(self._path, figures_text(data, indent=indent) + "\n", self._ours))
