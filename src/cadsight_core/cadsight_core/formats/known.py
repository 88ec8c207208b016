"""The formats that are known: one entry each, which is all that a new one needs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cadsight_core.formats.coco.reading import claim_coco
from cadsight_core.formats.label_studio.reading import claim_label_studio
from cadsight_core.formats.labelme import claim_labelme
from cadsight_core.formats.own import claim_dataset, claim_images
from cadsight_core.formats.reading.finding import Claim
from cadsight_core.formats.reading.tree import Tree
from cadsight_core.formats.regression import claim_regression
from cadsight_core.formats.via.project import claim_via
from cadsight_core.formats.xml.cvat import claim_cvat
from cadsight_core.formats.xml.voc import claim_voc
from cadsight_core.formats.yolo.labels import claim_yolo


@dataclass(frozen=True)
class Where:
    """Where labels and images are looked for.

    Attributes:
        tree: of the folder of labels.
        only: the one file that is meant.
        images: of the folder of images, when they do not lie in ``tree``.
        class_attribute: VIA's attribute that holds the class, where the user names it.
    """

    tree: Tree
    only: Path | None = None
    image_tree: Tree | None = None
    class_attribute: str | None = None


@dataclass(frozen=True)
class Reader:
    """A format that is read.

    Attributes:
        name: as in ``format``.
        contents: what a set of it has, in words.
        suffixes: how a single file of it ends.
        claim: claims what is there, or gives None.
    """

    name: str
    contents: str
    suffixes: tuple[str, ...]
    claim: Callable[[Where], Claim | None]


# In this order: the first that claims a folder reads it.
READERS = (
    Reader("cadsight", "our dataset.json", (), lambda w: claim_dataset(w.tree)),
    Reader("yolo", "YOLO's images/ and labels/ or data.yaml", (".yaml", ".yml"), lambda w: claim_yolo(w.tree, w.only)),
    Reader("regression", "a regression labels.txt", (".txt",), lambda w: claim_regression(w.tree, w.only)),
    Reader("coco", "COCO's JSON", (".json",), lambda w: claim_coco(w.tree, w.image_tree, w.only)),
    Reader(
        "via",
        "VIA's JSON or CSV",
        (".json", ".csv"),
        lambda w: claim_via(w.tree, w.image_tree, w.only, w.class_attribute),
    ),
    Reader("labelme", "LabelMe's JSON", (".json",), lambda w: claim_labelme(w.tree, w.image_tree, w.only)),
    Reader(
        "label_studio",
        "Label Studio's full JSON",
        (".json",),
        lambda w: claim_label_studio(w.tree, w.image_tree, w.only),
    ),
    Reader("voc", "Pascal VOC's XML", (".xml",), lambda w: claim_voc(w.tree, w.image_tree, w.only)),
    Reader("cvat", "CVAT's XML", (".xml",), lambda w: claim_cvat(w.tree, w.image_tree, w.only)),
    Reader("images", "a folder of images", (), lambda w: claim_images(w.tree)),
)
