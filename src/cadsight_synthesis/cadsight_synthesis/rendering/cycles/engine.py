"""Ray-traced images by Blender's Cycles, which runs as a program of its own."""

from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.errors import CadsightError
from cadsight_core.running.own_environment import set_up
from numpy.typing import NDArray

from cadsight_synthesis.rendering.backdrop import backdrop
from cadsight_synthesis.rendering.cycles.process import BlenderDiedError, BlenderProcess
from cadsight_synthesis.rendering.cycles.request import is_transparent, lens_of, scene_to_json
from cadsight_synthesis.rendering.develop import develop, settle_edges
from cadsight_synthesis.rendering.scene import Rendering, Scene, View

_TRIES = 2
# Blender keeps 25 kB of every scene; a fresh start every so often keeps memory flat and costs a thousandth of the time.
_MOST_SCENES = 1000


class CyclesEngine:
    """Draws scenes with Cycles; colour, index and depth come out of the same rays.

    One belongs to one process and one thread. The program is started with the first scene and kept for the next ones,
    with the meshes and textures that it has read. When it dies it is started again and the scene drawn once more.
    """

    name = "cycles"

    def __init__(self, threads: int = 0) -> None:
        """``threads`` draw one image; 0 for as many as the machine has cores. Images do not depend on it."""
        self._process: BlenderProcess | None = None
        if threads < 0:
            raise CadsightError(f"the cycles engine was given {threads} threads, expected 0 (all cores) or more")
        self._threads = threads
        self._python: Path | None = None
        self._drawn = 0

    def render(self, scene: Scene) -> list[Rendering]:
        """One rendering for each view, in their order; sets Blender up on first use.

        Raises:
            CadsightError: for a mesh, texture or backdrop that cannot be used, an environment that cannot be set up,
                or a program that died twice.
        """
        request = scene_to_json(scene)
        died: BlenderDiedError | None = None
        for _ in range(_TRIES):
            try:
                return self._draw(request, scene)
            except BlenderDiedError as error:
                died = error
        raise CadsightError(f"the scene with seed {scene.seed} could not be drawn in {_TRIES} tries: {died}")

    def close(self) -> None:
        """End the program."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def __del__(self) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the program, None while there is none."""
        return self._process.pid if self._process is not None else None

    def _draw(self, request: dict[str, Any], scene: Scene) -> list[Rendering]:
        if self._drawn >= _MOST_SCENES:
            self.close()
        if self._process is None:
            self._drawn = 0
            self._python = self._python or set_up("blender", "the cycles engine")
            self._process = BlenderProcess(self._python, self._threads)
        self._drawn += 1
        renderings: list[Rendering] = []
        try:
            for view, file in zip(scene.views, self._process.draw(request), strict=True):
                renderings.append(_rendering(view, scene, np.load(file)))
        except CadsightError:
            raise
        except BaseException:
            # What it still has to say belongs to this scene and to no other.
            self.close()
            raise
        return renderings


def _rendering(view: View, scene: Scene, drawn: NDArray[np.float32]) -> Rendering:
    """From the pinhole's linear image, depth and index (H, W, 6) to the view's own pixels."""
    colour, depth, index = drawn[..., :4], drawn[..., 4], drawn[..., 5]
    if view.camera.distortion:
        lens = lens_of(view.camera)
        colour = lens.bend(np.ascontiguousarray(colour))
        depth, index = (lens.bend_nearest(np.ascontiguousarray(each)) for each in (depth, index))
    body_index = np.rint(index).astype(np.int16) - 1
    behind = None
    if is_transparent(view):
        behind = backdrop(view, scene.environment)
        if scene.quality.denoise:
            colour = settle_edges(colour)
    return Rendering(
        develop(colour, behind, grey=view.grey), body_index, np.where(body_index < 0, np.float32(np.inf), depth)
    )
