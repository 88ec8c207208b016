"""What pools hold without a folder of the user's: made here, or shipped in a dependency's wheel. Nothing is downloaded.

The names: ``textures``, ``photographs``, ``environments`` and ``distractors``.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb, read_image
from cadsight_core.running.own_environment import workspace
from cadsight_core.storage.cache import cache_folder

from cadsight_synthesis.assets import procedural
from cadsight_synthesis.assets.cache import kept, ply_of

# Counts up when the formulas change, so that files of an older version are not taken for theirs.
_VERSION = 2
_SKIMAGE_TEXTURES = ("brick.png", "grass.png", "gravel.png")
_SKIMAGE_PHOTOGRAPHS = (
    "astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "hubble_deep_field.jpg",
    "retina.jpg",
)  # fmt: skip
_TEXTURES_EACH = 3
_BACKGROUNDS = 16


def files(name: str, what: str) -> tuple[Path, ...]:
    """The files of a built-in pool, always in the same order.

    Raises:
        CadsightError: for a name that there is not, or one of other things than ``what``.
    """
    pools: dict[str, tuple[str, Callable[[], tuple[Path, ...]]]] = {
        "textures": ("textures", textures),
        "photographs": ("photographs", photographs),
        "environments": ("environments", environments),
        "distractors": ("meshes", distractors),
    }
    fitting = [n for n, (of, _) in pools.items() if of == what]
    if name not in fitting:
        raise CadsightError(
            f"there is no built-in pool {name!r} of {what}, expected {', '.join(f'built-in:{n}' for n in fitting)}"
        )
    return pools[name][1]()


@lru_cache(maxsize=1)
def textures() -> tuple[Path, ...]:
    """scikit-image's brick, grass and gravel, and procedural ones."""
    shipped = tuple(p for p in (_skimage(n) for n in _SKIMAGE_TEXTURES) if p is not None)
    folder = cache_folder(f"textures-{_VERSION}")
    made = tuple(
        kept(folder / f"{kind}-{seed}.png", lambda k=kind, s=seed: _png(procedural.texture(k, s)))  # type: ignore[misc]
        for kind in procedural.TEXTURES
        for seed in range(_TEXTURES_EACH)
    )
    return shipped + made


@lru_cache(maxsize=1)
def photographs() -> tuple[Path, ...]:
    """scikit-image's photographs, enlarged to cover 1280 x 960 pixels, and procedural ones."""
    folder = cache_folder(f"photographs-{_VERSION}")
    shipped = tuple(
        kept(folder / f"{path.stem}.jpg", lambda p=path: _jpeg(_covering(read_image(p))))  # type: ignore[misc]
        for path in (_skimage(n) for n in _SKIMAGE_PHOTOGRAPHS)
        if path is not None
    )
    made = tuple(
        kept(folder / f"made-{seed}.jpg", lambda s=seed: _jpeg(procedural.background(s)))  # type: ignore[misc]
        for seed in range(_BACKGROUNDS)
    )
    return shipped + made


@lru_cache(maxsize=1)
def environments() -> tuple[Path, ...]:
    """The HDR images of Blender's wheel where it is set up, else procedural ones."""
    return blender_environments() or tuple(
        kept(cache_folder(f"environments-{_VERSION}") / f"{kind}.hdr", lambda k=kind: _hdr(k))  # type: ignore[misc]
        for kind in procedural.ENVIRONMENTS
    )


@lru_cache(maxsize=1)
def distractors() -> tuple[Path, ...]:
    """Meshes of simple things."""
    return tuple(ply_of(mesh) for mesh in procedural.distractors().values())


def blender_environments() -> tuple[Path, ...]:
    """The HDR images in the bpy wheel; empty where Blender's environment is not set up."""
    pattern = "lib/python*/site-packages/bpy/*/datafiles/studiolights/world/*.exr"
    return tuple(sorted((workspace() / ".venv-blender").glob(pattern)))


def _skimage(name: str) -> Path | None:
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / name
    return path if path.is_file() else None


def _covering(image: Rgb) -> Rgb:
    width, height = procedural.PHOTOGRAPH_SIZE
    scale = max(width / image.shape[1], height / image.shape[0], 1.0)
    size = (int(np.ceil(image.shape[1] * scale)), int(np.ceil(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _png(image: Rgb) -> bytes:
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def _jpeg(image: Rgb) -> bytes:
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _hdr(kind: str) -> bytes:
    return cv2.imencode(".hdr", procedural.environment(kind)[..., ::-1])[1].tobytes()
