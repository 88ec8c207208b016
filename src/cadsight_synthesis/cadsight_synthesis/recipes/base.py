"""What every recipe says: which parts, how the image is taken, how much work goes into it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb
from cadsight_core.imaging.lens import is_possible
from cadsight_core.parts.part import Part
from cadsight_core.sample import Sample, Split
from numpy.random import Generator

from cadsight_synthesis.recipes.scenery.ranges import Span, check_section, sample_value
from cadsight_synthesis.rendering.labels import LabelParameters
from cadsight_synthesis.rendering.scene import Quality


@dataclass(frozen=True)
class ImageParameters:
    """Size of the images and the lens that they are taken with."""

    width: int = parameter(640, "width in pixels", minimum=32, maximum=4096)
    height: int = parameter(480, "height in pixels", minimum=32, maximum=4096)
    grey: bool = parameter(False, "three equal channels")
    field_of_view_deg: Span = parameter(
        (45.0, 60.0), "angle that the image's width covers, chosen from this range", minimum=5.0, maximum=120.0
    )
    distortion: float = parameter(
        0.0, "largest radial distortion k1 of the lens, to either side", minimum=0.0, maximum=0.3
    )
    off_centre: float = parameter(
        0.0, "largest shift of the optical axis, as a fraction of the width", minimum=0.0, maximum=0.1
    )

    def __post_init__(self) -> None:
        check_section(self)

    @property
    def size(self) -> ImageSize:
        return ImageSize(self.width, self.height)

    def camera(self, rng: Generator) -> Camera:
        """A camera with a lens chosen from the ranges."""
        focal = self.width / 2 / np.tan(np.deg2rad(sample_value(rng, self.field_of_view_deg)) / 2)
        shift = rng.uniform(-1, 1, 2) * self.off_centre * self.width
        bend = rng.uniform(-1, 1, 4) * (1.0, 0.5, 0.01, 0.01) * self.distortion
        cx, cy = (self.width - 1) / 2 + shift[0], (self.height - 1) / 2 + shift[1]
        camera = Camera(self.size, float(focal), float(focal), float(cx), float(cy))
        while self.distortion:
            bent = replace(camera, distortion=(*map(float, bend), 0.0))
            if is_possible(bent):
                return bent
            # No lens of so wide an angle bends so strongly: its corners would have no ray.
            bend *= 0.8
        return camera


@dataclass(frozen=True)
class QualityParameters:
    """Work that goes into an image."""

    samples: int = parameter(4, "rays a pixel, before denoising", minimum=1, maximum=4096)
    bounces: int = parameter(2, "times that light is followed from surface to surface", minimum=0, maximum=32)
    denoise: bool = parameter(True, "take the grain of few rays out of the image")
    shadows: bool = parameter(True, "parts throw shadows")
    ray_traced: bool = parameter(True, "follow light; false draws plain surfaces, faster")

    def __post_init__(self) -> None:
        check(self)

    @property
    def quality(self) -> Quality:
        return Quality(self.samples, self.bounces, self.denoise, self.shadows, self.ray_traced)


@dataclass(frozen=True)
class Recipe:
    """Keys that every recipe has."""

    kind: str = parameter("", "kind of recipe: the name of one of the sections below")
    seed: int = parameter(0, "decides everything that is chosen at random", minimum=0)
    split: Split = parameter("train", "split of the images: train, valid or test")
    name: str = parameter("", "begins the images' names; the recipe file's name where it is left out")

    def __post_init__(self) -> None:
        check_section(self)

    def checks(self) -> dict[str, Callable[[], object]]:
        """What reads a file that a key names, by the key, and raises where the file is of no use; none here."""
        return {}


@dataclass(frozen=True)
class SceneRecipe(Recipe):
    """Keys that every recipe of scenes has."""

    parts: tuple[Part, ...] = parameter((), "YAML files of the parts, relative to the recipe")
    views_per_scene: int = parameter(1, "images of each scene", minimum=1, maximum=1000)
    tries: int = parameter(50, "how often a scene is sampled anew before it is given up", minimum=1, maximum=10000)
    image: ImageParameters = parameter(ImageParameters(), "size and lens", earlier="picture")
    quality: QualityParameters = parameter(QualityParameters(), "work that goes into an image")
    labels: LabelParameters = parameter(LabelParameters(), "which parts are labelled, and how")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.parts:
            raise CadsightError("the recipe names no parts, expected at least one part's YAML under parts")
        for key in ("name", "class_id"):
            values = [getattr(p, key) for p in self.parts]
            twice = next((v for v in values if values.count(v) > 1), None)
            if twice is not None:
                raise CadsightError(f"two of the parts have the {key} {twice!r}, expected each to have its own")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes by their number; a number that no part has is named by it."""
        named = {p.class_id: p.name for p in self.parts}
        return tuple(named.get(i, f"class-{i}") for i in range(max(named) + 1))

    @property
    def parts_by_class(self) -> dict[int, Part]:
        return {p.class_id: p for p in self.parts}

    def generator(self, number: int, *more: int) -> Generator:
        """The random numbers of scene ``number``."""
        return np.random.default_rng([self.seed, number, *more])

    def finished(self, sample: Sample, image: Rgb, image_number: int) -> tuple[Sample, Rgb]:
        """Image ``image_number`` (H, W, 3) of the set as it is changed after drawing and labelling: here not at all."""
        return sample, image

    def record(self, number: int) -> dict[str, Any]:
        """What is needed to make scene ``number`` again."""
        return {"recipe": self.name, "kind": self.kind, "seed": self.seed, "scene": number}
