"""Materials chosen from weighted pools."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cadsight_core.config.parameters import parameter
from cadsight_core.imaging.images import SUFFIXES
from cadsight_core.parts.part import Part
from numpy.random import Generator

from cadsight_synthesis.assets.pools import Entry, Source, check_images, files_of, sample_entry
from cadsight_synthesis.assets.shape import Shape
from cadsight_synthesis.recipes.scenery.ranges import Span, check_section, sample_value
from cadsight_synthesis.rendering.scene import Colour, Material

# Textures of a folder that are read to their end before anything is drawn; of larger folders their headers alone.
_READ_WHOLE = 200


@dataclass(frozen=True)
class Look(Entry):
    """One kind of surface: a colour, or textures from a folder times that colour, and how it shines."""

    source: Source = parameter(
        Source(""), "folder of textures relative to the recipe, or built-in:textures; left out, the plain colour"
    )
    colour: Colour | None = parameter(
        None,
        "red, green, blue, 0 to 1, linear; left out, the colours of the part's mesh, or else its display_colour, and "
        "white under a texture",
    )
    spread: float = parameter(
        0.0,
        "how far each channel of the colour is varied to either side, as a fraction of it",
        minimum=0.0,
        maximum=1.0,
    )
    roughness: Span = parameter((0.3, 0.8), "0 is a mirror, 1 is chalk", minimum=0.0, maximum=1.0)
    metallic: Span = parameter((0.0, 0.0), "0 is paint, 1 is bare metal", minimum=0.0, maximum=1.0)
    texture_size_m: Span = parameter(
        (0.05, 0.2), "width that a texture covers once, metres", minimum=0.001, maximum=100.0
    )

    def __post_init__(self) -> None:
        check_section(self)

    def files(self) -> tuple[Path, ...]:
        return files_of(self.source, SUFFIXES, "textures") if self.source.name else ()

    def check_files(self, smallest: object = None) -> None:
        files = self.files()
        check_images(files, whole=len(files) <= _READ_WHOLE)


def sample_material(
    rng: Generator, looks: Sequence[Look], own: Colour = (0.8, 0.8, 0.8), coloured: bool = False
) -> Material:
    """A material of one of ``looks``; a look without a colour leaves a ``coloured`` body as it is, others ``own``."""
    look = sample_entry(rng, looks)
    files = look.files()
    texture = files[int(rng.integers(len(files)))] if files else None
    painted = coloured and texture is None and look.colour is None
    base = look.colour or ((1.0, 1.0, 1.0) if texture is not None or painted else own)
    red, green, blue = np.clip(np.asarray(base) * (1 + look.spread * rng.uniform(-1, 1, 3)), 0, 1).tolist()
    return Material(
        (red, green, blue),
        roughness=sample_value(rng, look.roughness),
        metallic=sample_value(rng, look.metallic),
        texture=texture,
        texture_size_m=sample_value(rng, look.texture_size_m),
        painted=painted,
    )


def own_material(part: Part, shape: Shape, roughness: float = 0.5, metallic: float = 0.0) -> Material:
    """The part as it comes: in the colours of its mesh, or else in its ``display_colour``."""
    colour = (1.0, 1.0, 1.0) if shape.coloured else part.display_colour
    return Material(colour, roughness, metallic, painted=shape.coloured)
