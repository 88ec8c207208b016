"""Labels of a set against its meshes, projected by our own camera model.

The engine that drew the images has no part in it: the mesh in ``parts/``, the pose and the camera of a label tell
where the part must be, and the label's mask, boxes and normal must agree with that.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.formats.regression import read_regression
from cadsight_core.geometry import Array, angle_between
from cadsight_core.imaging.drawing import draw_instances
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part, load_part_mesh, load_parts
from cadsight_core.sample import Instance, Sample

from cadsight_synthesis.datasets.page import Figure
from cadsight_synthesis.datasets.rendered import PARTS
from cadsight_synthesis.rendering.labels import Mask, amodal

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]

LIMIT_PX = 1.0
LIMIT_DEG = 0.5


@dataclass(frozen=True)
class Finding:
    """How far a label is from the projected mesh.

    Attributes:
        mask_px: farthest pixel of the mask from the silhouette and, of a part that stands free, of the silhouette
            from the mask.
        box_px: largest distance of a side of the full box, and of a free part's visible box, from the outermost
            projected corners.
        normal_deg: angle between the normal and the axis of interest turned by the pose; of the regression file's
            line too, where there is one.
        free: nothing hides it and it is wholly in the image.
    """

    sample: str
    index: int
    mask_px: float
    box_px: float
    normal_deg: float
    free: bool

    @property
    def problem(self) -> str | None:
        """The error in a sentence, or None."""
        errors = [
            f"the {what} is {value:.2f} {unit} off"
            for what, value, limit, unit in (
                ("mask", self.mask_px, LIMIT_PX, "px"),
                ("box", self.box_px, LIMIT_PX, "px"),
                ("normal", self.normal_deg, LIMIT_DEG, "degrees"),
            )
            # Written so that NaN is a problem too.
            if not value <= limit + 1e-6
        ]
        if not errors:
            return None
        expected = f"expected at most {LIMIT_PX:g} px and {LIMIT_DEG:g} degrees"
        return f"{self.sample}, label {self.index}: {' and '.join(errors)}, {expected}"


@dataclass(frozen=True, eq=False)
class Report:
    """What a check found.

    Attributes:
        facts: the figures in words.
        problems: a sentence each.
        figures: the images with their labels drawn.
    """

    folder: Path
    findings: tuple[Finding, ...]
    problems: tuple[str, ...]
    figures: tuple[Figure, ...]

    @property
    def facts(self) -> dict[str, str]:
        free = sum(f.free for f in self.findings)
        return {
            "Images": str(len(self.figures)),
            "Labels": f"{len(self.findings)}, {free} of them free and {len(self.findings) - free} partly hidden",
            "Mask": _worst([f.mask_px for f in self.findings], "px", LIMIT_PX),
            "Box": _worst([f.box_px for f in self.findings], "px", LIMIT_PX),
            "Normal": _worst([f.normal_deg for f in self.findings], "degrees", LIMIT_DEG),
            "Verdict": f"{len(self.problems)} problems" if self.problems else "labels and meshes agree",
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "limits": {"mask_px": LIMIT_PX, "box_px": LIMIT_PX, "normal_deg": LIMIT_DEG},
            "problems": list(self.problems),
            "labels": [vars(f) for f in self.findings],
        }


def check(folder: str | Path, count: int = 30, seed: int = 0, *, progress: Progress | None = None) -> Report:
    """Compare the labels of ``count`` images, chosen at random, with the projected meshes.

    Raises:
        CadsightError: for a folder that is no data set, has no parts beside it, or no label with a pose and a mask
            in the chosen images.
    """
    dataset = Dataset.open(folder)
    if not (dataset.folder / PARTS).is_dir():
        raise CadsightError(f"{dataset.folder} has no {PARTS}/, expected a set of `cadsight synthesize`")
    if count < 1 or not len(dataset):
        raise CadsightError(f"{count} of {len(dataset)} images were to be checked, expected at least one")
    parts = {p.class_id: (p, load_part_mesh(p)) for p in load_parts(dataset.folder / PARTS)}
    chosen = np.random.default_rng(seed).choice(len(dataset), min(count, len(dataset)), replace=False)
    exported = _exported_normals(dataset.folder)
    samples = dataset.samples()
    findings: list[Finding] = []
    figures = []
    indices: Iterable[int] = sorted(map(int, chosen))
    for index in progress(indices, len(chosen), "check") if progress else indices:
        sample = samples[index]
        found = _of_sample(sample, parts, exported)
        findings += found
        wrong = [f.problem for f in found if f.problem]
        caption = f"{sample.name}: {wrong[0] if wrong else _caption(found)}"
        annotated = draw_instances(dataset.image(sample), sample.instances, dataset.classes)
        figures.append(Figure(annotated, caption, bool(wrong)))
    if not findings:
        raise CadsightError(
            f"none of {len(figures)} images of {dataset.folder} has a label with mask and pose, expected some"
        )
    problems = tuple(f.problem for f in findings if f.problem)
    return Report(dataset.folder, tuple(findings), problems, tuple(figures))


def _of_sample(sample: Sample, parts: dict[int, tuple[Part, Mesh]], exported: dict[str, Array] | None) -> list[Finding]:
    found = []
    whole = [i for i in sample.instances if i.normal is not None]
    for index, instance in enumerate(sample.instances):
        if sample.camera is None or instance.mask is None or instance.camera_from_part is None:
            continue
        part, mesh = parts[instance.class_id]
        exported_normal = None
        if exported is not None and instance.normal is not None:
            number = whole.index(instance)
            exported_normal = exported.get(sample.name if len(whole) == 1 else f"{sample.name}_{number}")
        found.append(_of_instance(sample, sample.camera, index, instance, part, mesh, exported_normal))
    return found


def _of_instance(
    sample: Sample, camera: Camera, index: int, instance: Instance, part: Part, mesh: Mesh, exported: Array | None
) -> Finding:
    pose, mask = instance.camera_from_part, instance.mask
    assert pose is not None
    assert mask is not None
    canvas, (dx, dy) = amodal(mesh, pose, camera)
    window = np.s_[dy : dy + camera.size.height, dx : dx + camera.size.width]
    silhouette = canvas[window]
    corners = camera.project(pose.apply(mesh.vertices)) + 0.5
    finite = corners[np.isfinite(corners).all(axis=1)]
    bounds = Box(*finite.min(axis=0), *finite.max(axis=0))
    size = camera.size
    inside = bounds.x0 > 0 and bounds.y0 > 0 and bounds.x1 < size.width and bounds.y1 < size.height
    free = inside and float(instance.attributes.get("visible_fraction", 0.0)) >= 1.0
    mask_px = _beyond(mask, silhouette)
    box_px = 0.0
    # A turned copy of a part that is partly hidden has no full box.
    if inside and (free or "full_box" in instance.attributes):
        box_px = _sides(instance.attributes.get("full_box"), bounds)
    if free:
        mask_px = max(mask_px, _beyond(silhouette, mask))
        box_px = max(box_px, _sides(instance.attributes.get("visible_box"), bounds))
    mask_box = Box.from_mask(mask)
    if mask_box is not None and instance.attributes.get("visible_box") is not None:
        box_px = max(box_px, _sides(instance.attributes["visible_box"], mask_box))
    expected = pose.rotate(np.asarray(part.axis_of_interest, float))
    normals = [n for n in (instance.normal, exported) if n is not None]
    normal_deg = max((float(angle_between(n, expected)) for n in normals), default=0.0)
    return Finding(sample.name, index, mask_px, box_px, normal_deg, free)


def _beyond(mask: Mask, other: Mask) -> float:
    """Steps from the pixel of ``mask`` that is farthest from ``other`` to it, 0 where it covers it.

    A step leads to any of the eight neighbours.
    """
    if not mask.any():
        return 0.0
    if not other.any():
        return float("inf")
    away = cv2.distanceTransform(np.where(other, 0, 1).astype(np.uint8), cv2.DIST_C, cv2.DIST_MASK_3)
    return float(away[mask].max())


def _sides(given: Sequence[float] | None, expected: Box) -> float:
    if given is None:
        return float("nan")
    return float(np.abs(np.subtract(given, expected.as_tuple())).max())


def _exported_normals(folder: Path) -> dict[str, Array] | None:
    """The regression file's normals by the names of their crops, where it was written."""
    found: dict[str, Array] = {}
    subfolders = [folder / "regression", *sorted((folder / "regression").glob("*/"))]
    for subfolder in subfolders:
        if (subfolder / "labels.txt").is_file():
            for sample in read_regression(subfolder)[0]:
                (instance,) = sample.instances
                if instance.normal is not None:
                    found[sample.name] = instance.normal
    return found or None


def _caption(found: Sequence[Finding]) -> str:
    if not found:
        return "no label to check"
    return (
        f"mask {max(f.mask_px for f in found):.2f} px, box {max(f.box_px for f in found):.2f} px, "
        f"normal {max(f.normal_deg for f in found):.3f} degrees"
    )


def _worst(values: Sequence[float], unit: str, limit: float) -> str:
    return f"at most {max(values):.3g} {unit} off, {limit:g} allowed" if values else "none"
