"""Files of sample sheets in the folder of a model, one an epoch."""

from pathlib import Path

from cadsight_core.imaging.images import Rgb, encode_image
from cadsight_core.storage.files import make_folder
from cadsight_core.storage.output_file import noted, refuse_foreign_file, write_noted

SHEETS = "sheets"


class SheetFiles:
    """The sheets of the model in ``folder``, by the epochs after which they were drawn, counted from 1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / SHEETS

    def refuse_foreign(self, epochs: int) -> None:
        """Refuse a folder with files of others where sheets will be.

        Raises:
            CadsightError: naming the first.
        """
        for epoch in range(1, epochs + 1):
            path = self._path(epoch)
            refuse_foreign_file(path, noted(path))

    def write(self, epoch: int, sheet: Rgb) -> None:
        """Write the sheet of an epoch."""
        make_folder(self._folder)
        write_noted(self._path(epoch), encode_image(sheet))

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{epoch:05d}.png"
