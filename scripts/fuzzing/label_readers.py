"""Readers of labelled sets."""

import base64
import csv
import functools
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.formats import Reading, read
from cadsight_core.formats.convert import convert
from cadsight_core.formats.health import check
from cadsight_core.formats.reading.notes import Notes
from cadsight_core.shapes import instance_mask
from cadsight_core.storage.json_text import json_text
from PIL import Image

from fuzzing.reader import Reader

_WIDTH, _HEIGHT = 40, 30


def label_readers() -> tuple[Reader, ...]:
    """One a format that is read."""
    made: tuple[tuple[str, tuple[str, ...], Callable[[Path], None]], ...] = (
        ("cadsight", (".json", ".jsonl"), functools.partial(_converted, "cadsight")),
        ("yolo", (".txt", ".yaml", ".data", ".names"), _yolo),
        ("coco", (".json",), _coco),
        ("via", (".json", ".csv"), _via),
        ("voc", (".xml", ".txt"), _voc),
        ("labelme", (".json",), _labelme),
        ("cvat", (".xml",), _cvat),
        ("regression", (".txt",), _regression),
    )
    return tuple(Reader(name, suffixes, seeds, _read) for name, suffixes, seeds in made)


def _read(folder: Path) -> None:
    """As `train`, `convert` and `check` read a set: strictly, with what cannot be used left out, and by its columns."""
    for lenient in (False, True):
        try:
            loaded = read(folder, Notes(strict=not lenient), Reading(allow_loss=lenient))
            for sample in loaded.samples:
                for instance in sample.instances:
                    instance_mask(instance, sample.size)
        except CadsightError:
            continue
    json_text(check(folder, whole_images=False).to_json())


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (_HEIGHT, _WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def _images(folder: Path, *names: str) -> None:
    for name in names:
        _image(folder / name)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _coco_json() -> dict[str, object]:
    images = [
        {"id": i, "file_name": name, "width": _WIDTH, "height": _HEIGHT} for i, name in ((1, "a.png"), (7, "b.png"))
    ]
    run_length = {"counts": [5, 10, 1185], "size": [_HEIGHT, _WIDTH]}
    points = {"keypoints": [4, 4, 2, 10, 8, 1], "num_keypoints": 2}
    labels = (
        {"segmentation": [[4, 3, 16, 3, 16, 18]], "bbox": [4, 3, 12, 15], "area": 90},
        {"segmentation": [], "bbox": [10.5, 9.25, 8, 4], "area": 32, "image_id": 7, "category_id": 3, **points},
        {"segmentation": run_length, "bbox": [0, 5, 1, 10], "iscrowd": 1, "area": 10, "attributes": {"worn": True}},
    )
    annotations = [
        {"id": i, "image_id": 1, "category_id": 1, "iscrowd": 0, **label} for i, label in enumerate(labels, 1)
    ]
    categories = [
        {"id": 1, "name": "bolt", "supercategory": "part"},
        {"id": 3, "name": "nut", "keypoints": ["l", "r"], "skeleton": [[1, 2]]},
    ]
    return {
        "info": {"year": 2026},
        "licenses": [{"id": 1, "name": "none"}],
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }


def _coco(folder: Path) -> None:
    _images(folder / "plain" / "images", "a.png", "b.png")
    _write(folder / "plain" / "annotations.json", json_text(_coco_json()))
    compressed = _coco_json()
    compressed["annotations"][0]["segmentation"] = {"counts": "PQb0", "size": [_HEIGHT, _WIDTH]}  # type: ignore[index]
    for split in ("train", "valid"):
        _images(folder / "splits" / split, f"{split}a.png", f"{split}b.png")
        images = [{**image, "file_name": split + image["file_name"]} for image in compressed["images"]]  # type: ignore[attr-defined]
        _write(folder / "splits" / split / "_annotations.coco.json", json_text({**compressed, "images": images}))


def _converted(to: str, folder: Path, name: str = "converted") -> None:
    source = folder.parent / f"{folder.name}-source"
    _coco(source)
    convert(source / "plain", folder / name, to, reading=Reading(allow_loss=True))


def _yolo(folder: Path) -> None:
    _converted("yolo", folder)
    for name, config, rows in (
        (
            "boxes",
            "names: [bolt, nut]\ntrain: images/train\nval: images/valid\n",
            "0 0.5 0.5 0.2 0.3\n1 0.2 0.25 0.1 0.1\n",
        ),
        (
            "outlines",
            "names: {0: bolt, 1: nut}\nnc: 2\npath: .\ntrain: images/train\n",
            "1 0.1 0.1 0.5 0.1 0.5 0.6 0.2 0.7\n",
        ),
        (
            "points",
            "names: [bolt, nut]\nkpt_shape: [2, 3]\ntrain: images/train\n",
            "0 0.5 0.5 0.2 0.3 0.4 0.4 2 0.6 0.6 1\n",
        ),
    ):
        for split in ("train", "valid") if name == "boxes" else ("train",):
            _images(folder / name / "images" / split, f"{split}.png")
            _write(folder / name / "labels" / split / f"{split}.txt", rows)
        _write(folder / name / "data.yaml", config)
    _images(folder / "beside", "a.png", "b.png")
    _write(folder / "beside" / "a.txt", "0 0.5 0.5 0.2 0.3\n")
    _write(folder / "beside" / "b.txt", "")
    _write(folder / "beside" / "classes.txt", "bolt\nnut\n")
    _images(folder / "darknet" / "obj_train_data", "a.png")
    _write(folder / "darknet" / "obj_train_data" / "a.txt", "1 0.5 0.5 0.2 0.3\n")
    _write(folder / "darknet" / "train.txt", "data/obj_train_data/a.png\n")
    _write(folder / "darknet" / "obj.names", "bolt\nnut\n")
    _write(
        folder / "darknet" / "obj.data",
        "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
    )


def _via_shapes() -> list[dict[str, object]]:
    return [
        {"name": "rect", "x": 4, "y": 3, "width": 10, "height": 8},
        {"name": "polygon", "all_points_x": [1, 9, 5], "all_points_y": [2, 2, 8]},
        {"name": "circle", "cx": 20, "cy": 15, "r": 5},
        {"name": "ellipse", "cx": 20, "cy": 15, "rx": 5, "ry": 3, "theta": 0.5},
        {"name": "polyline", "all_points_x": [1, 9, 5], "all_points_y": [2, 2, 8]},
        {"name": "point", "cx": 3, "cy": 4},
    ]


def _via(folder: Path) -> None:
    _converted("via", folder)
    regions = [
        {"shape_attributes": shape, "region_attributes": {"class": ("bolt", "nut")[i % 2]}}
        for i, shape in enumerate(_via_shapes())
    ]
    entries: dict[str, object] = {
        f"{name}7": {"filename": name, "size": 7, "regions": regions, "file_attributes": {}}
        for name in ("a.png", "b.png")
    }
    attributes = {
        "region": {"class": {"type": "dropdown", "options": {"bolt": "", "nut": ""}, "default_options": {}}},
        "file": {},
    }
    project = {"_via_settings": {"project": {"name": "a"}}, "_via_img_metadata": entries, "_via_attributes": attributes}
    for name, data in (("regions", entries), ("project", project)):
        _images(folder / name, "a.png", "b.png")
        _write(folder / name / "via.json", json_text(data))
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(
        [
            "filename",
            "file_size",
            "file_attributes",
            "region_count",
            "region_id",
            "region_shape_attributes",
            "region_attributes",
        ]
    )
    for number, region in enumerate(regions):
        cells = json_text(region["shape_attributes"]), json_text(region["region_attributes"])
        table.writerow(["a.png", 7, "{}", len(regions), number, *cells])
    table.writerow(["b.png", 7, "{}", 0, 0, "{}", "{}"])
    _images(folder / "table", "a.png", "b.png")
    _write(folder / "table" / "via.csv", out.getvalue())


def _voc(folder: Path) -> None:
    box = "<bndbox><xmin>11</xmin><ymin>11</ymin><xmax>30</xmax><ymax>25</ymax></bndbox>"
    polygon = "<polygon><x1>1</x1><y1>2</y1><x2>9</x2><y2>2</y2><x3>9</x3><y3>8</y3></polygon>"
    size = f"<size><width>{_WIDTH}</width><height>{_HEIGHT}</height><depth>3</depth></size>"
    objects = (
        f"<object><name>bolt</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>{box}"
        f"<part><name>head</name>{box}</part></object><object><name>nut</name>{polygon}</object>"
    )
    for name in ("a", "b"):
        _images(folder / "voc" / "JPEGImages", f"{name}.png")
        text = f"<annotation><folder>JPEGImages</folder><filename>{name}.png</filename>{size}{objects}</annotation>"
        _write(folder / "voc" / "Annotations" / f"{name}.xml", text)
    _write(folder / "voc" / "ImageSets" / "Main" / "train.txt", "a\n")
    _write(folder / "voc" / "ImageSets" / "Main" / "val.txt", "b 1\n")


def _labelme(folder: Path) -> None:
    mask = io.BytesIO()
    Image.fromarray(np.full((5, 8), 255, np.uint8)).save(mask, "PNG")
    shapes: list[dict[str, object]] = [
        {"points": [[4, 3], [16, 3], [16, 18]], "shape_type": "polygon", "flags": {"worn": True}},
        {"points": [[24, 9], [32, 3]], "shape_type": "rectangle", "group_id": 1},
        {"points": [[20, 20], [24, 20]], "shape_type": "circle", "group_id": 1},
        {"points": [[10, 12], [17, 16]], "shape_type": "mask", "mask": base64.b64encode(mask.getvalue()).decode()},
        {"points": [[3, 3]], "shape_type": "point"},
    ]
    rest: dict[str, object] = {
        "version": "5.4",
        "flags": {},
        "imageData": None,
        "imageWidth": _WIDTH,
        "imageHeight": _HEIGHT,
    }
    for name in ("a", "b"):
        _images(folder / "labelme", f"{name}.png")
        entries = [{"label": "bolt", "group_id": None, **shape} for shape in shapes]
        _write(folder / "labelme" / f"{name}.json", json_text({**rest, "imagePath": f"{name}.png", "shapes": entries}))


def _cvat(folder: Path) -> None:
    labels = (
        "<meta><task><labels><label><name>nut</name></label><label><name>bolt</name></label></labels></task></meta>"
    )
    shapes = (
        '<box label="bolt" occluded="1" xtl="4" ytl="3" xbr="16" ybr="18">'
        '<attribute name="state">worn</attribute></box>'
        '<box label="nut" xtl="10" ytl="10" xbr="30" ybr="14" rotation="90"/>'
        '<polygon label="bolt" points="1,2;9,2;9,8"/>'
        '<mask label="bolt" left="10" top="12" width="4" height="2" rle="1, 2, 3, 2"/>'
        '<ellipse label="nut" cx="20" cy="15" rx="8" ry="4"/>'
    )
    _images(folder / "cvat" / "images", "a.png", "b.png")
    images = "".join(
        f'<image id="{i}" name="{name}" width="{_WIDTH}" height="{_HEIGHT}">{shapes}</image>'
        for i, name in enumerate(("a.png", "b.png"))
    )
    _write(folder / "cvat" / "annotations.xml", f"<annotations><version>1.1</version>{labels}{images}</annotations>")


def _regression(folder: Path) -> None:
    rows = "Name, width, height, u, v, w\na.png, 20, 15, 0.0, 0.6, 0.8\nb.png, 20, 15, 0.0, 0.0, 1.0\n"
    _images(folder / "plain", "a.png", "b.png")
    _write(folder / "plain" / "labels.txt", rows)
    for split in ("train", "valid"):
        _images(folder / "splits" / split, "a.png", "b.png")
        _write(folder / "splits" / split / "labels.txt", rows)
