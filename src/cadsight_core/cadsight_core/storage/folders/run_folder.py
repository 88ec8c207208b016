"""Where the parts of a run lie."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadsight_core.errors import CadsightError
from cadsight_core.storage.folders.session_folder import SessionFolder
from cadsight_core.storage.output_file import json_with

FORMAT = "cadsight-report-1"
SPLITS = ("train", "valid", "test")


# Whether the bytes of report.json are ours.
is_figures = json_with("run", form=FORMAT)


@dataclass(frozen=True)
class RunFolder:
    """A run of ``cadsight demo``; every part may be missing until its step is done."""

    folder: Path

    def session(self, split: str) -> SessionFolder:
        return SessionFolder(self.folder / "sessions" / split)

    @property
    def composed(self) -> Path:
        return self.folder / "composed"

    @property
    def yolo(self) -> Path:
        return self.folder / "yolo"

    @property
    def regression(self) -> Path:
        return self.folder / "regression"

    @property
    def coco(self) -> Path:
        return self.folder / "coco"

    @property
    def detector(self) -> Path:
        return self.folder / "models" / "detector"

    @property
    def normals(self) -> Path:
        return self.folder / "models" / "normals"

    @property
    def live(self) -> Path:
        return self.folder / "live"

    @property
    def steps(self) -> Path:
        return self.folder / "steps.json"

    @property
    def settings(self) -> Path:
        return self.folder / "demo.json"

    @property
    def page(self) -> Path:
        return self.folder / "report.html"

    @property
    def figures(self) -> Path:
        return self.folder / "report.json"


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is no such file.

    Raises:
        CadsightError: when the file cannot be read or holds something else.
    """
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CadsightError(f"{path} could not be read: {error}, expected a JSON object") from error
    if not isinstance(data, dict):
        raise CadsightError(f"{path} holds {type(data).__name__}, expected a JSON object")
    return data
