"""Folders without labels: images alone, and data sets of our own, whose labels their manifest holds."""

from collections.abc import Sequence
from pathlib import Path

from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.folders import sample_names
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.imaging.images import image_size
from cadsight_core.running.progress import with_progress_if_many
from cadsight_core.sample import Sample
from cadsight_core.storage.output_folder import MARK


def claim_images(where: Where) -> Claim | None:
    """The claim on all images of a folder, None where it has none."""
    tree, images = where.tree, where.tree.images
    if not images:
        return None
    return Claim("images", "images alone", (), images, lambda notes: _images(tree.folder, images, notes))


def claim_dataset(where: Where) -> Claim | None:
    """The claim on a data set of our own, None where the folder is none.

    What we wrote beside its samples, such as recipes, meshes and exports, belongs to it.
    """
    tree = where.tree
    if not Dataset.is_one(tree.folder):
        return None
    dataset = Dataset.open(tree.folder)
    exports = {f.parent for f in tree.folder.glob(f"*/{MARK}")} | {f.parent for f in tree.folder.glob(f"*/*/{MARK}")}
    ours = [f for f in tree.files if f.suffix.lower() == ".json" or any(p in exports for p in f.parents)]

    def read(_notes: Notes) -> Loaded:
        return Loaded(dataset.samples(), dataset.classes, "cadsight", dataset.extra)

    return Claim("cadsight", "dataset.json", tuple(ours), tuple(dataset.files), read)


def _images(folder: Path, images: Sequence[Path], notes: Notes) -> Loaded:
    samples = []
    named = zip(images, sample_names([("", p) for p in images], folder), strict=True)
    for image, name in with_progress_if_many(named, len(images), "images found"):
        try:
            samples.append(Sample(name, image, image_size(image)))
        except CadsightError as error:
            if notes.strict:
                raise
            notes.problem("unreadable image", image, str(error), loses="images")
    return Loaded(samples, (), "images")
