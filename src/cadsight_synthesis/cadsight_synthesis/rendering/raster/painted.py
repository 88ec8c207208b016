"""A mesh's own colours as a texture with a pixel for each triangle: the rasteriser knows no colours of vertices."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from cadsight_core.imaging.images import encode_image
from cadsight_core.storage.cache import cache_folder
from numpy.typing import NDArray

from cadsight_synthesis.assets.cache import kept, mesh_key
from cadsight_synthesis.rendering.surface import Surface

# Of the texture, in pixels; a mesh of more triangles than it has pixels lets neighbours share one.
SIDE = 512


@lru_cache(maxsize=128)
def painted(surface: Surface) -> Surface:
    """``surface`` with the places of its triangles on :func:`paint`, as fractions of its sides."""
    pixels = _pixels(len(surface.fine.faces))
    positions = np.stack([pixels % SIDE, pixels // SIDE], axis=1) + 0.5
    return replace(surface, texture_m=np.repeat(positions / SIDE, 3, axis=0).astype(np.float32))


@lru_cache(maxsize=128)
def paint(surface: Surface) -> Path:
    """The texture, a PNG in the cache; white for a surface without colours."""

    def drawn() -> bytes:
        image = np.full((SIDE * SIDE, 3), 255, np.uint8)
        if surface.colours is not None:
            image[_pixels(len(surface.colours))] = surface.colours
        return encode_image(image.reshape(SIDE, SIDE, 3))

    return kept(cache_folder("paint") / f"{mesh_key(surface.mesh)}.png", drawn)


def _pixels(triangles: int) -> NDArray[np.int64]:
    return np.arange(triangles) * min(SIDE * SIDE, triangles) // max(triangles, 1)
