"""What a writer wrote, as JSON."""

import json

from cadsight_core.formats.coco.writing import write_coco
from cadsight_core.formats.via.project import write_via


def coco_of(samples, classes, folder, *more, **how):
    """COCO's JSON of samples of one split whose images are there, written below ``folder``."""
    (file,) = write_coco(samples, classes, folder / "coco", *more, **how)
    return json.loads(file.read_text())


def via_of(samples, classes, folder, *more, **how):
    """The same in VIA's."""
    (file,) = write_via(samples, classes, folder / "via", *more, **how)
    return json.loads(file.read_text())
