"""Images of one to four parts, made of images of one (Comillas, section 3.3.1 and figure 10)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize, viewing_rotation
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array
from cadsight_core.sample import Instance, Sample, Split
from numpy.typing import ArrayLike, NDArray

Image = NDArray[np.uint8]
Array32 = NDArray[np.float32]
_TRIES = 60


@dataclass(frozen=True)
class CompositionParameters:
    """What a composed image may look like."""

    min_parts: int = parameter(1, "fewest parts in an image", minimum=1, maximum=50)
    max_parts: int = parameter(4, "most parts in an image", minimum=1, maximum=50)
    min_scale: float = parameter(0.9, "smallest scale of a part", minimum=0.1, maximum=10.0)
    max_scale: float = parameter(1.1, "largest scale of a part", minimum=0.1, maximum=10.0)
    max_overlap: float = parameter(
        0.0, "largest fraction of a part's mask that parts in front of it may hide", minimum=0.0, maximum=0.9
    )
    margin_px: int = parameter(4, "smallest distance of a part to the image's border", minimum=0, maximum=1000)
    edge_px: float = parameter(0.8, "width over which a cut-out's edge fades, in pixels", minimum=0.0, maximum=20.0)
    max_shadow: float = parameter(0.25, "darkest soft shadow under a part, 0 for none", minimum=0.0, maximum=1.0)
    seed: int = parameter(0, "seed of the whole set", minimum=0)

    def __post_init__(self) -> None:
        check(self)
        if self.min_parts > self.max_parts or self.min_scale > self.max_scale:
            raise CadsightError(
                f"compositions take {self.min_parts} to {self.max_parts} parts at {self.min_scale:g} to "
                f"{self.max_scale:g} of their size, expected both ranges to rise"
            )


@dataclass(frozen=True, eq=False)
class CutOut:
    """A part cut out of an image.

    Attributes:
        image: (h, w, 3) RGB of its box and a little around it; beyond its edge with the part's own colours.
        mask: (h, w).
        offset: (x, y) of the cut-out's top left pixel in the image that it came from.
        instance: its label there.
        camera: of that image, where known.
        name: of that image.
    """

    image: Image
    mask: NDArray[np.bool_]
    offset: tuple[int, int]
    instance: Instance
    camera: Camera | None
    name: str


def cut_out(sample: Sample, image: Image, around: int = 6) -> list[CutOut]:
    """Every part of an image (H, W, 3) that has a mask, with ``around`` pixels on each side where there are any."""
    found = []
    for instance in sample.instances:
        box = Box.from_mask(instance.mask) if instance.mask is not None else None
        if instance.mask is None or box is None:
            continue
        x0, y0 = max(int(box.x0) - around, 0), max(int(box.y0) - around, 0)
        x1, y1 = min(int(box.x1) + around, sample.size.width), min(int(box.y1) + around, sample.size.height)
        window = np.s_[y0:y1, x0:x1]
        found.append(
            CutOut(
                _bled(image[window], instance.mask[window]),
                instance.mask[window],
                (x0, y0),
                instance,
                sample.camera,
                sample.name,
            )
        )
    return found


def compose(
    cut_outs: Sequence[CutOut],
    background: Image,
    name: str,
    parameters: CompositionParameters,
    seed: int,
    split: Split = "train",
) -> tuple[Sample, Image]:
    """One image with parts on ``background`` (H, W, 3), and its labels; the same seed gives the same image.

    A part for which there is no free position is left out; the first one always fits or is refused. Its normal turns
    with the ray on which it now lies (see :func:`cadsight_core.camera.viewing_rotation`): the cut-out still looks as it
    did along its own ray. The pose is not kept, since scale and position no longer come from one.

    Raises:
        CadsightError: when there is no cut-out or none of those drawn fits on the background.
    """
    if not cut_outs:
        raise CadsightError("no part with a mask came to compose images of, expected at least one")
    rng = np.random.default_rng(seed)
    height, width = background.shape[:2]
    size = ImageSize(width, height)
    canvas = background.astype(np.float32)
    pasted: list[_Placed] = []
    for _ in range(int(rng.integers(parameters.min_parts, parameters.max_parts + 1))):
        scaled = _Scaled.of(cut_outs[int(rng.integers(len(cut_outs)))], parameters, rng)
        placed = _place(scaled, pasted, size, parameters, rng) if scaled is not None else None
        if placed is None:
            continue
        canvas = _shade(canvas, placed.mask, float(rng.uniform(0, parameters.max_shadow)), rng)
        canvas = _paste(canvas, placed.scaled, placed.corner)
        for other in pasted:
            other.visible[placed.mask] = False
        pasted.append(placed)
    if not pasted:
        raise CadsightError(
            f"no part fits on the background of {width} x {height} pixels, expected it to be larger than the parts"
        )
    camera = next((p.scaled.source.camera for p in pasted if p.scaled.source.camera is not None), None)
    if camera is not None and camera.size != size:
        camera = None
    record = {
        "seed": seed,
        "composition": [
            {"from": p.scaled.source.name, "scale": list(p.scaled.scale), "place": list(p.corner)} for p in pasted
        ],
    }
    sample = Sample(
        name=name,
        image=Path(f"{name}.png"),
        size=size,
        camera=camera,
        instances=tuple(p.instance(camera) for p in pasted),
        origin="composed",
        split=split,
        record=record,
    )
    return sample, np.round(canvas).clip(0, 255).astype(np.uint8)


def compose_set(
    cut_outs: Sequence[CutOut],
    background: Image,
    count: int,
    parameters: CompositionParameters,
    split: Split = "train",
    first: int = 0,
) -> Iterator[tuple[Sample, Image]]:
    """The images ``first`` to ``count`` of the set that ``parameters.seed`` names, each with a seed of its own."""
    for i in range(first, count):
        seed = int(np.random.SeedSequence([parameters.seed, i]).generate_state(1)[0])
        yield compose(cut_outs, background, f"composed-{parameters.seed}-{i:06d}", parameters, seed, split)


def _bled(image: Image, mask: NDArray[np.bool_]) -> Image:
    """The image with everything outside the part, and its edge that is mixed with it, in the nearest part's colour.

    The old surroundings, such as a dark gripper, would otherwise come along as a rim.
    """
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    if not core.any():
        return image.copy()
    _, nearest = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[core > 0]] = image[core > 0]
    return colours[nearest]


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A cut-out at its new size, whole pixels in x and y; all is cropped to the mask's box, ``inset`` in it."""

    source: CutOut
    scale: tuple[float, float]
    inset: tuple[int, int]
    image: Image
    mask: NDArray[np.bool_]
    alpha: NDArray[np.float32]

    @staticmethod
    def of(source: CutOut, p: CompositionParameters, rng: np.random.Generator) -> "_Scaled | None":
        factor = float(rng.uniform(p.min_scale, p.max_scale))
        height, width = (max(1, round(side * factor)) for side in source.mask.shape)
        scale = (width / source.mask.shape[1], height / source.mask.shape[0])
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        image = cv2.resize(source.image, (width, height), interpolation=method)
        mask = cv2.resize(source.mask.astype(np.float32), (width, height), interpolation=method) > 0.5
        box = Box.from_mask(mask)
        if box is None:
            return None
        # Fading inwards alone, so that nothing reaches beyond the label.
        depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        alpha = np.clip(depth / (p.edge_px + 0.5), 0, 1).astype(np.float32)
        x0, y0, x1, y1 = map(int, box.as_tuple())
        window = np.s_[y0:y1, x0:x1]
        return _Scaled(source, scale, (x0, y0), image[window].astype(np.uint8), mask[window], alpha[window])


@dataclass(frozen=True, eq=False)
class _Placed:
    """A scaled cut-out with its top left pixel at ``corner``; ``visible`` lacks what later parts hide of ``mask``."""

    scaled: _Scaled
    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    visible: NDArray[np.bool_]

    def instance(self, camera: Camera | None) -> Instance:
        box = Box.from_mask(self.visible)
        assert box is not None
        source = self.scaled.source.instance
        return replace(
            source,
            box=box,
            mask=self.visible,
            camera_from_part=None,
            normal=self._normal(camera),
            point=None if source.point is None else self._moved(source.point),
        )

    def _moved(self, pixel: ArrayLike) -> Array:
        """Where a pixel (2,) of the old image lies in the new one."""
        source = self.scaled.source
        # Pixel centres are at integers, so the cut-out's left side is at its offset - 0.5.
        inside = np.subtract(pixel, source.offset) + 0.5
        return inside * self.scaled.scale - 0.5 - self.scaled.inset + self.corner

    def _normal(self, camera: Camera | None) -> Array | None:
        source = self.scaled.source
        if source.instance.normal is None or source.camera is None or camera is None:
            return None
        old = np.subtract(source.instance.box.centre, 0.5)
        turn = viewing_rotation(camera, self._moved(old)) @ viewing_rotation(source.camera, old).T
        return turn @ source.instance.normal


def _place(
    scaled: _Scaled,
    others: Sequence[_Placed],
    size: ImageSize,
    p: CompositionParameters,
    rng: np.random.Generator,
) -> _Placed | None:
    height, width = scaled.mask.shape
    highest = (size.width - p.margin_px - width, size.height - p.margin_px - height)
    if min(highest) < p.margin_px:
        return None
    for _ in range(_TRIES):
        x, y = (int(rng.integers(p.margin_px, high + 1)) for high in highest)
        mask = np.zeros((size.height, size.width), bool)
        mask[y : y + height, x : x + width] = scaled.mask
        if all((o.mask & (mask | ~o.visible)).sum() <= p.max_overlap * o.mask.sum() for o in others):
            return _Placed(scaled, (x, y), mask, mask.copy())
    return None


def _shade(canvas: Array32, mask: NDArray[np.bool_], darkness: float, rng: np.random.Generator) -> Array32:
    """A soft shadow of a part that lies on the ground, a few pixels aside."""
    shift = np.array([[1, 0, rng.uniform(-8, 8)], [0, 1, rng.uniform(-8, 8)]])
    moved = cv2.warpAffine(mask.astype(np.float32), shift, mask.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), float(rng.uniform(3, 8)))
    return canvas * (1 - darkness * soft)[..., None]


def _paste(canvas: Array32, scaled: _Scaled, corner: tuple[int, int]) -> Array32:
    (x, y), (height, width) = corner, scaled.mask.shape
    window = canvas[y : y + height, x : x + width]
    alpha = scaled.alpha[..., None]
    window[...] = alpha * scaled.image + (1 - alpha) * window
    return canvas
