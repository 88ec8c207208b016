"""Images with labels that nobody drew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose

Origin = Literal["real", "synthetic", "composed", "translated", "generated"]
Source = Literal["kinematic", "colour", "render", "model", "human", "model-accepted", "human-edited", "human-drawn"]
Split = Literal["train", "valid", "test", ""]

# What Pillow takes for an image at all.
MOST_PIXELS = 178_956_970
# No image is so wide, in pixels.
FARTHEST = 1e9
_LARGEST_CLASS = 1 << 31


@dataclass(frozen=True, eq=False)
class Instance:
    """One part in one image.

    Attributes:
        box: in the image's pixels.
        mask: (H, W) of the whole image, where known.
        camera_from_part: pose in the camera's optical frame, where known.
        normal: (3,) unit vector in the camera's optical frame, where known.
        point: (2,) pixel of the point of interest, centre of the top left pixel at (0, 0), where known.
        score: confidence of the source, 0 to 1, where it gives one.
        source: where the label comes from: a computation, a model, or people. Of a model's guess that people looked at
            it is ``model-accepted`` as it was and ``human-edited`` after a change; ``human-drawn`` is of no guess, and
            ``human`` of people of whom no more is known.
        attributes: further entries of a file for it, kept as they came.
    """

    class_id: int
    box: Box
    mask: NDArray[np.bool_] | None = None
    camera_from_part: Pose | None = None
    normal: Array | None = None
    point: Array | None = None
    score: float | None = None
    source: Source = field(kw_only=True)
    attributes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"class_id": self.class_id, "box": list(self.box.as_tuple()), "source": self.source}
        if self.mask is not None:
            data["mask"] = encode_mask(self.mask)
        if self.camera_from_part is not None:
            data["camera_from_part"] = self.camera_from_part.to_json()
        if self.normal is not None:
            data["normal"] = [float(v) for v in self.normal]
        if self.point is not None:
            data["point"] = [float(v) for v in self.point]
        if self.score is not None:
            data["score"] = float(self.score)
        if self.attributes:
            data["attributes"] = self.attributes
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any], size: ImageSize | None = None) -> "Instance":
        """The instance of one entry of a manifest.

        Args:
            size: of its image, which a mask has too; None where that is not known.

        Raises:
            CadsightError: when a mask or outline is none; and what Python raises for what is missing or no number.
        """
        class_id = int(data["class_id"])
        if abs(class_id) > _LARGEST_CLASS:
            raise CadsightError(f"a class id is {class_id}, expected the number of a class")
        attributes = dict(data.get("attributes", {}))
        segmentation = attributes.get("segmentation")
        if isinstance(segmentation, list):
            polygons_of(segmentation)
        return Instance(
            class_id=class_id,
            box=Box(*map(float, data["box"])),
            mask=decode_mask(data["mask"], size) if "mask" in data else None,
            camera_from_part=Pose.from_json(data["camera_from_part"]) if "camera_from_part" in data else None,
            normal=np.array(data["normal"], float) if "normal" in data else None,
            point=np.array(data["point"], float) if "point" in data else None,
            score=float(data["score"]) if "score" in data else None,
            # What earlier versions did not mark came from people.
            source=_one_of(Source, data.get("source", "human")),
            attributes=attributes,
        )


@dataclass(frozen=True, eq=False)
class Sample:
    """An image, what is on it, and what is needed to make it again.

    Attributes:
        name: unique in its data set, without suffix.
        image: file of the image, relative to the data set's folder when it comes from JSON.
        record: seed, joints in radians, stamp in nanoseconds, scene: whatever makes it again.
    """

    name: str
    image: Path
    size: ImageSize
    camera: Camera | None = None
    instances: tuple[Instance, ...] = ()
    origin: Origin = "real"
    split: Split = ""
    record: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "name": self.name,
            "image": self.image.as_posix(),
            "width": self.size.width,
            "height": self.size.height,
            "origin": self.origin,
            "split": self.split,
            "instances": [i.to_json() for i in self.instances],
            "record": self.record,
        }
        if self.camera is not None:
            data["camera"] = self.camera.to_json()
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Sample":
        """The sample of one manifest line.

        Raises:
            CadsightError: when a key is missing or holds something else.
        """
        try:
            size = ImageSize(int(data["width"]), int(data["height"]))
            if size.width * size.height > MOST_PIXELS:
                raise CadsightError(f"it is {size.width} x {size.height} pixels, expected at most {MOST_PIXELS}")
            return Sample(
                name=str(data["name"]),
                image=Path(data["image"]),
                size=size,
                camera=Camera.from_json(data["camera"]) if "camera" in data else None,
                instances=tuple(Instance.from_json(i, size) for i in data["instances"]),
                origin=_one_of(Origin, data["origin"]),
                split=_one_of(Split, data["split"]),
                record=dict(data["record"]),
            )
        except CadsightError as error:
            raise CadsightError(f"the sample {data['name']!r}: {error}") from error
        except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError) as error:
            name = data.get("name", "without a name") if isinstance(data, Mapping) else data
            raise CadsightError(f"the sample {name} has no usable {error}, expected the manifest's keys") from error


def read_source(score: float | None) -> Source:
    """The source of a label in a file that does not tell it: one with a score is a model's."""
    return "human" if score is None else "model"


def polygons_of(segmentation: Sequence[Any]) -> list[NDArray[np.float64]]:
    """COCO's list of polygons ``[x0, y0, x1, y1, ...]``, each as (N, 2) in pixels.

    Raises:
        CadsightError: where one is no such list of numbers.
    """
    try:
        polygons: list[NDArray[np.float64]] = [np.asarray(p, float).reshape(-1, 2) for p in segmentation]
    except (TypeError, ValueError, OverflowError) as error:
        raise CadsightError(f"an outline cannot be read: {error}, expected polygons [x0, y0, x1, y1, ...]") from error
    for polygon in polygons:
        if not (np.abs(polygon) < FARTHEST).all():  # NaN is not smaller either
            raise CadsightError(f"an outline has the corners {polygon.tolist()}, expected finite pixels")
    return polygons


def _one_of(allowed: Any, value: Any) -> Any:
    if value not in get_args(allowed):
        raise CadsightError(f"{value!r} is unknown, expected one of {', '.join(map(repr, get_args(allowed)))}")
    return value


def encode_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's uncompressed run-length code of a mask (H, W): runs down the columns, starting with zeros."""
    flat = np.asarray(mask, bool).ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    if flat.size and flat[0]:
        counts.insert(0, 0)
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": counts}


def decode_mask(code: Mapping[str, Any], size: ImageSize | None = None) -> NDArray[np.bool_]:
    """The mask (H, W) of COCO's uncompressed run-length code.

    Args:
        size: of the image that the mask is of, where it is known: a mask of another size is not made.

    Raises:
        CadsightError: when the code is none, its runs do not add up to its size, or that is not ``size``.
    """
    try:
        height, width = (int(v) for v in code["size"])
        counts = np.asarray(code["counts"], np.int64).reshape(-1)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CadsightError(f"a mask has no run-length code: {error}, expected size [height, width], counts") from error
    if size is not None and (height, width) != (size.height, size.width):
        raise CadsightError(f"a mask is {width} x {height} pixels, expected the image's {size.width} x {size.height}")
    if height * width > MOST_PIXELS:
        raise CadsightError(f"a mask is {width} x {height} pixels, expected at most {MOST_PIXELS} of them")
    total = counts.sum(dtype=float)  # whole numbers would go around
    if total != height * width or (counts < 0).any():
        raise CadsightError(f"a mask's runs add up to {total:.0f} pixels, expected {height} x {width}")
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape((height, width), order="F")
