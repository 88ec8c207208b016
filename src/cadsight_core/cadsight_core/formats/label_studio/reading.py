"""Label Studio's full JSON as a data set, where its images lie beside it; of several annotations the last counts."""

from collections.abc import Sequence
from pathlib import Path

from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.label_studio.answers import answers_in
from cadsight_core.formats.label_studio.description import head_names
from cadsight_core.formats.labelling.answers import Annotation
from cadsight_core.formats.labelling.placing import placed
from cadsight_core.formats.reading.finding import Claim, Loaded
from cadsight_core.formats.reading.listed import Listed, Named, found_image, readable_size, together
from cadsight_core.formats.reading.locating import Locator
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.formats.reading.where import Where
from cadsight_core.imaging.images import orientation_of
from cadsight_core.sample import Instance, Source


def claim_label_studio(where: Where) -> Claim | None:
    """The claim on Label Studio's JSON, None where there are none."""
    names = {path: found for path in where.files(".json") if (found := head_names(path)) is not None}
    if not names:
        return None
    quiet = Notes()
    images = [found_image(_locator(p, where), n, p, quiet) for p, found in names.items() for n in found]
    taken = tuple(dict.fromkeys(image for image in images if image is not None))
    why = f"tasks with data and annotations in {next(iter(names)).name}"
    return Claim("label_studio", why, tuple(names), taken, lambda notes: _loaded(list(names), where, notes))


def _locator(path: Path, where: Where) -> Locator:
    return where.locator([path.parent, path.parent / "images"])


def _loaded(files: Sequence[Path], where: Where, notes: Notes) -> Loaded:
    listed = []
    for path in files:
        try:
            answers = answers_in(path)
        except CadsightError as error:
            notes.problem("unreadable label file", path, str(error), loses="label files")
            continue
        for answer in answers:
            handed_in = [one for one in answer.annotations if not one.skipped]
            if not handed_in:
                why = "was skipped" if answer.annotations else "is not annotated"
                text = f"{answer.names[0] if answer.names else answer.where!r} {why}, and is left out"
                notes.remark("image without labels", path, text, loses="images")
                continue
            for fault in answer.faults:
                notes.problem("odd label", path, fault, loses="labels")
            image = found_image(_locator(path, where), answer.names, path, notes)
            size = None if image is None else readable_size(image, notes)
            if image is None or size is None:
                continue
            last = max(enumerate(handed_in), key=lambda n: (n[1].chosen, n[1].at, n[0]))[1]
            listed.append(Listed(path, image, size, "", tuple(_objects(last, image, size, path, notes))))
    return together(listed, (), "label_studio", where.tree.folder, notes)


def _objects(annotation: Annotation, image: Path, size: ImageSize, path: Path, notes: Notes) -> list[Named]:
    objects: list[Named] = []
    for one in annotation.drawn:
        try:
            box, corners = placed(one, size, orientation_of(image))
        except CadsightError as error:
            notes.problem("odd label", path, f"{image.name}: {error}", loses="labels")
            continue
        attributes = {} if corners is None else {"segmentation": [corners.ravel().tolist()]}
        source: Source = one.source or "human"
        objects.append(Named(one.name, Instance(0, box, score=one.score, source=source, attributes=attributes)))
    return objects
