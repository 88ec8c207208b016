"""Where the labels and images of a set are looked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.formats.reading.locating import Locator
from cadsight_core.formats.reading.tree import Tree


@dataclass(frozen=True)
class Where:
    """What the user names of a set.

    Attributes:
        tree: of the folder of labels.
        only: the one file of labels that is meant.
        images: of the folder of images, when the user says that they lie elsewhere.
        class_attribute: VIA's attribute that holds the class, where the user names it.
    """

    tree: Tree
    only: Path | None = None
    images: Tree | None = None
    class_attribute: str | None = None

    @property
    def image_tree(self) -> Tree:
        """Where the images lie."""
        return self.tree if self.images is None else self.images

    def files(self, *suffixes: str) -> tuple[Path, ...]:
        """The file that is meant, else those that end in one of ``suffixes``."""
        return self.tree.ending(*suffixes) if self.only is None else (self.only,)

    def locator(self, bases: Iterable[Path]) -> Locator:
        """Finds images by their names from each of ``bases``; where the user says where they lie, there alone."""
        if self.images is not None:
            return Locator(self.images.index, [self.images.folder], lost=True)
        return Locator(self.tree.index, list(bases))
