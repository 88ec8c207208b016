"""The formats that are known: one entry each, which is all that a new one needs."""

from collections.abc import Callable
from dataclasses import dataclass

from cadsight_core.formats.coco.reading import claim_coco
from cadsight_core.formats.label_studio.reading import claim_label_studio
from cadsight_core.formats.labelme.reading import claim_labelme
from cadsight_core.formats.own import claim_dataset, claim_images
from cadsight_core.formats.reading.finding import Claim
from cadsight_core.formats.reading.where import Where
from cadsight_core.formats.regression import claim_regression
from cadsight_core.formats.via.project import claim_via
from cadsight_core.formats.xml.cvat import claim_cvat
from cadsight_core.formats.xml.voc import claim_voc
from cadsight_core.formats.yolo.labels import claim_yolo


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
    Reader("cadsight", "our dataset.json", (), claim_dataset),
    Reader("yolo", "YOLO's images/ and labels/ or data.yaml", (".yaml", ".yml"), claim_yolo),
    Reader("regression", "a regression labels.txt", (".txt",), claim_regression),
    Reader("coco", "COCO's JSON", (".json",), claim_coco),
    Reader(
        "via",
        "VIA's JSON or CSV",
        (".json", ".csv"),
        claim_via,
    ),
    Reader("labelme", "LabelMe's JSON", (".json",), claim_labelme),
    Reader(
        "label_studio",
        "Label Studio's full JSON",
        (".json",),
        claim_label_studio,
    ),
    Reader("voc", "Pascal VOC's XML", (".xml",), claim_voc),
    Reader("cvat", "CVAT's XML", (".xml",), claim_cvat),
    Reader("images", "a folder of images", (), claim_images),
)
