"""A batch to CVAT for images 1.1 and back: boxes of a model as a first guess, and what people said of them.

CVAT lists every image, labelled or not, so tags tell what nothing else does: ``cadsight-checked`` that somebody looked
at an image with nothing to change, ``cadsight-skipped`` that it was put aside. The id of a guess and its score go along
as attributes, which CVAT keeps while the box is changed.
"""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cadsight_core.errors import CadsightError
from cadsight_core.formats.files.xml_files import elements, number, read_xml
from cadsight_core.formats.labelling.answers import Annotation, Answer, Drawn
from cadsight_core.formats.labelling.tasks import Guess, Tasks
from cadsight_core.formats.xml.cvat import CHECKED, SHAPES, SKIPPED
from cadsight_core.sample import Source
from cadsight_core.storage.json_text import json_text

ANNOTATIONS, LABELS = "annotations.xml", "labels.json"
_GUESS, _SCORE = "cadsight_guess", "cadsight_score"
_SOURCES: dict[str | None, Source] = {
    "manual": "human-drawn",
    "auto": "model-accepted",
    "semi-auto": "human-edited",
}


def annotations_text(tasks: Tasks) -> str:
    """The XML to upload as annotations of a task with these images.

    Raises:
        CadsightError: for a class that is called as one of our tags.
    """
    _refuse_tags(tasks)
    root = ElementTree.Element("annotations")
    _add(root, "version", "1.1")
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    for name, text in (("name", "cadsight"), ("size", str(len(tasks.each))), ("mode", "annotation")):
        _add(task, name, text)
    labels = ElementTree.SubElement(task, "labels")
    for one in _labels(tasks):
        label = ElementTree.SubElement(labels, "label")
        _add(label, "name", one["name"])
        _add(label, "type", one["type"])
        attributes = ElementTree.SubElement(label, "attributes")
        for given in one["attributes"]:
            attribute = ElementTree.SubElement(attributes, "attribute")
            for key in ("name", "mutable", "input_type", "default_value", "values"):
                _add(attribute, key, "" if key == "values" else str(given[key]))
    for index, given_task in enumerate(tasks.each):
        size = given_task.sample.size
        entries = {"id": str(index), "name": given_task.file_name, "width": str(size.width), "height": str(size.height)}
        image = ElementTree.SubElement(root, "image", entries)
        for guess in given_task.guesses:
            _add_box(image, guess, tasks.classes[guess.instance.class_id])
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def labels_text(tasks: Tasks) -> str:
    """The labels for CVAT's raw constructor.

    Raises:
        CadsightError: as :func:`annotations_text`.
    """
    _refuse_tags(tasks)
    return json_text(_labels(tasks), indent=1) + "\n"


def answers_in(path: Path) -> list[Answer]:
    """The answers of each image of a file.

    Raises:
        CadsightError: when it cannot be read, or is no CVAT for images.
    """
    root = read_xml(path)
    if root.tag != "annotations" or any(True for _ in elements(root, "track")):
        raise CadsightError(f"{path} has the root <{root.tag}> or tracks, expected CVAT for images 1.1")
    return [_answer(image, path) for image in elements(root, "image")]


def _refuse_tags(tasks: Tasks) -> None:
    for name in (CHECKED, SKIPPED):
        if name in tasks.classes:
            raise CadsightError(f"a class is called {name!r}, expected another name than that of our tag")


def _labels(tasks: Tasks) -> list[dict[str, Any]]:
    text = {"mutable": False, "input_type": "text", "default_value": "", "values": [""]}
    attributes = [{"name": name, **text} for name in (_GUESS, _SCORE)]
    boxes = [{"name": name, "type": "rectangle", "attributes": attributes} for name in tasks.classes]
    return [*boxes, *({"name": name, "type": "tag", "attributes": []} for name in (CHECKED, SKIPPED))]


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _add_box(image: ElementTree.Element, guess: Guess, name: str) -> None:
    box = guess.instance.box
    sides = zip(("xtl", "ytl", "xbr", "ybr"), box.as_tuple(), strict=True)
    edges = {side: f"{value:.2f}" for side, value in sides}
    entries = {"label": name, "source": "auto", "occluded": "0", **edges, "z_order": "0"}
    element = ElementTree.SubElement(image, "box", entries)
    score = "" if guess.instance.score is None else repr(float(guess.instance.score))
    for key, text in ((_GUESS, guess.id), (_SCORE, score)):
        ElementTree.SubElement(element, "attribute", name=key).text = text


def _answer(image: ElementTree.Element, path: Path) -> Answer:
    name = image.get("name", "")
    where = f"{path}, image {name!r}"
    drawn, faults, tags = [], [], set()
    for shape in elements(image, *SHAPES):
        if shape.tag == "tag":
            tags.add(shape.get("label", ""))
            continue
        try:
            drawn.append(_drawn(shape, image))
        except CadsightError as error:
            faults.append(f"{where}: {error}")
    faults += [f"{where}: it has the tag {tag!r}, expected boxes" for tag in sorted(tags - {CHECKED, SKIPPED})]
    skipped = SKIPPED in tags
    # An image without shapes and tags says no more than that it is there.
    said = (Annotation(tuple(drawn), skipped=skipped, finished=CHECKED in tags),)
    return Answer(where, "", (name, name.rpartition("/")[2]), said, faults=() if skipped else tuple(faults))


def _drawn(shape: ElementTree.Element, image: ElementTree.Element) -> Drawn:
    if shape.tag != "box":
        raise CadsightError(f"a shape is a {shape.tag}, expected a box")
    width, height = (number(image.get(side, ""), f"the {side} of the image") for side in ("width", "height"))
    if width <= 0 or height <= 0:
        raise CadsightError(f"the image is {width:g} x {height:g} pixels, expected some")
    x0, y0, x1, y1 = (number(shape.get(key, ""), key) for key in ("xtl", "ytl", "xbr", "ybr"))
    extras = {a.get("name", ""): (a.text or "").strip() for a in shape.findall("attribute")}
    score = extras.get(_SCORE)
    return Drawn(
        shape.get("label", ""),
        x0 / width,
        y0 / height,
        (x1 - x0) / width,
        (y1 - y0) / height,
        number(shape.get("rotation", "0"), "rotation"),
        about_corner=False,
        stated=(width, height),
        id=extras.get(_GUESS, ""),
        source=_SOURCES.get(shape.get("source")),
        score=number(score, _SCORE) if score else None,
    )
