"""Where the parts of a captured session lie."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SessionFolder:
    """One captured session: session.json, raw/, background.png, simulated only truth/; labelled it has labelled/,
    rejected/ and labels.json too, which may lie in a folder of their own. Every part may be missing."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "session.json"

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def labelled(self) -> Path:
        return self.folder / "labelled"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected"

    @property
    def truth(self) -> Path:
        return self.folder / "truth"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.json"

    @property
    def background(self) -> Path:
        return self.folder / "background.png"
