"""One view of what stands on the stage: colour, depth and index out of the same rays."""

from pathlib import Path
from typing import Any

import bpy
import cv2
import mathutils
import numpy as np
from numpy.typing import NDArray

from cadsight_synthesis.blender.shim import bproc

# Blender's cameras look along -z with y up, optical frames along z with y down.
_OPTICAL_FROM_BLENDER = np.diag([1.0, -1.0, -1.0, 1.0])
_NEAREST_M, _FARTHEST_M = 1e-3, 1e3
_LARGEST_SEED = 2**31 - 1


class Photographer:
    """Renders into files of ``folder``, which only this one writes to."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        bproc.renderer.set_cpu_threads(threads)
        bproc.renderer.set_denoiser(None)
        bproc.renderer.set_noise_threshold(0)
        scene = bpy.context.scene
        scene.cycles.device = "CPU"
        # What is not changed from one image to the next is not built again.
        scene.render.use_persistent_data = True
        scene.cycles.debug_bvh_type = "DYNAMIC_BVH"
        scene.cycles.debug_use_spatial_splits = False
        scene.cycles.use_light_tree = False
        scene.cycles.caustics_reflective = False
        scene.cycles.caustics_refractive = False
        scene.cycles.sample_clamp_indirect = 10.0
        scene.cycles.denoiser = "OPENIMAGEDENOISE"
        scene.cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
        scene.cycles.denoising_prefilter = "FAST"
        scene.render.filepath = str(folder / "unused")
        bpy.context.view_layer.use_pass_z = True
        bpy.context.view_layer.use_pass_object_index = True
        self._write_passes()

    def set_quality(self, quality: dict[str, Any]) -> None:
        cycles = bpy.context.scene.cycles
        bproc.renderer.set_max_amount_of_samples(quality["samples"])
        bounces = quality["bounces"] if quality["ray_traced"] else 0
        bproc.renderer.set_light_bounces(bounces, bounces, 0, bounces, 0, 8, 0)
        cycles.use_denoising = quality["denoise"] and quality["ray_traced"]
        bpy.context.view_layer.cycles.use_denoising = cycles.use_denoising

    def take(self, view: dict[str, Any], seed: int) -> NDArray[np.float32]:
        """(H, W, 6): linear RGB (premultiplied), alpha, depth, index from 1; depth and index of the pixel's centre.

        Cycles writes depth and index for its first sample alone, and sends that one through the pixel's centre.
        """
        camera = view["camera"]
        matrix = np.array([[camera["fx"], 0, camera["cx"]], [0, camera["fy"], camera["cy"]], [0, 0, 1]])
        bproc.camera.set_intrinsics_from_K_matrix(
            matrix, camera["width"], camera["height"], clip_start=_NEAREST_M, clip_end=_FARTHEST_M
        )
        scene = bpy.context.scene
        pose = np.array(view["world_from_camera"]) @ _OPTICAL_FROM_BLENDER
        scene.camera.matrix_world = mathutils.Matrix(pose)
        scene.render.film_transparent = view["transparent"]
        scene.cycles.seed = seed & _LARGEST_SEED
        bpy.ops.render.render()
        frame = f"{scene.frame_current:04d}.exr"
        colour, data = (_read(self._folder / f"{name}{frame}") for name in ("colour", "data"))
        return np.concatenate([colour, data[..., :2]], axis=2)

    def _write_passes(self) -> None:
        """Compositor: the image into one file, depth and index into another, nothing filtered or converted."""
        scene = bpy.context.scene
        scene.use_nodes = True
        scene.render.use_compositing = True
        nodes, links = scene.node_tree.nodes, scene.node_tree.links
        nodes.clear()
        layers, join = nodes.new("CompositorNodeRLayers"), nodes.new("CompositorNodeCombineColor")
        links.new(layers.outputs["Depth"], join.inputs[0])
        links.new(layers.outputs["IndexOB"], join.inputs[1])
        # A render wants a composite; it is thrown away.
        links.new(layers.outputs["Image"], nodes.new("CompositorNodeComposite").inputs["Image"])
        output = nodes.new("CompositorNodeOutputFile")
        output.base_path = str(self._folder)
        output.format.file_format = "OPEN_EXR"
        output.format.color_mode = "RGBA"
        output.format.color_depth = "32"
        output.format.exr_codec = "NONE"
        output.file_slots.clear()
        for name, source in (("colour", layers.outputs["Image"]), ("data", join.outputs["Image"])):
            output.file_slots.new(name)
            links.new(source, output.inputs[name])


def _read(path: Path) -> NDArray[np.float32]:
    """(H, W, 4) RGBA; the file goes."""
    image: Any = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise OSError(f"Blender has not written {path}: is the disk full?")
    path.unlink()
    return image[..., [2, 1, 0, 3]]
