"""Puts a scene's bodies, lamps and surroundings into Blender, and takes them away again."""

import math
from typing import Any

import bpy
import mathutils
import numpy as np

from cadsight_synthesis.blender.assets import Assets
from cadsight_synthesis.blender.materials import Materials
from cadsight_synthesis.blender.shim import bproc

# Where flat shading has its light when the scene has no lamp: above, a little to the side.
_OVERHEAD = (0.3, -0.4, 0.866)
# Brightness of an environment is looked up in a map this fine, not in all of its pixels.
_MAP_RESOLUTION = 512


class Stage:
    """One scene at a time; the camera and the world stay."""

    def __init__(self) -> None:
        self.assets = Assets()
        self._materials = Materials(self.assets)
        self._objects: list[bpy.types.Object] = []
        self._world = bpy.context.scene.world
        self._world.use_nodes = True

    def set(self, scene: dict[str, Any]) -> None:
        """Show ``scene`` instead of the one before.

        Raises:
            SceneError: for a mesh, texture or environment that cannot be used.
        """
        self.clear()
        flat = not scene["quality"]["ray_traced"]
        light = _light_direction(scene["lamps"]) if flat else None
        for index, body in enumerate(scene["bodies"]):
            self._add_body(index, body, light)
        for lamp in () if flat else scene["lamps"]:
            self._add_lamp(lamp, scene["quality"]["shadows"])
        self._surround(scene["environment"])

    def clear(self) -> None:
        for thing in self._objects:
            data = thing.data
            bpy.data.objects.remove(thing)
            if isinstance(data, bpy.types.Light):
                bpy.data.lights.remove(data)
        self._objects.clear()
        self._materials.trim()
        self.assets.trim()

    def _add_body(self, index: int, body: dict[str, Any], light: tuple[float, float, float] | None) -> None:
        thing = bpy.data.objects.new(f"body_{index:05d}", self.assets.mesh(body["mesh"]))
        self._objects.append(thing)
        bpy.context.scene.collection.objects.link(thing)
        thing.matrix_world = mathutils.Matrix(body["world_from_body"])
        thing.pass_index = index + 1
        # The mesh is shared by bodies of different looks, so the look belongs to the object.
        if not thing.data.materials:
            thing.data.materials.append(None)
        thing.material_slots[0].link = "OBJECT"
        thing.material_slots[0].material = self._materials.get(body["material"], light)

    def _add_lamp(self, lamp: dict[str, Any], shadows: bool) -> None:
        made = bproc.types.Light(lamp["kind"].upper())
        self._objects.append(made.blender_obj)
        made.set_energy(lamp["energy"])
        made.set_color(lamp["colour"])
        made.set_location(lamp["position"])
        data = made.blender_obj.data
        data.use_shadow = shadows
        if lamp["kind"] == "point":
            data.shadow_soft_size = lamp["size"]
            return
        if lamp["kind"] == "sun":
            data.angle = math.radians(lamp["size"])
        else:
            data.shape = "SQUARE"
            data.size = lamp["size"]
        along = mathutils.Vector(np.subtract(lamp["target"], lamp["position"]))
        made.set_rotation_mat(along.to_track_quat("-Z", "Y").to_matrix())

    def _surround(self, environment: dict[str, Any]) -> None:
        nodes, links = self._world.node_tree.nodes, self._world.node_tree.links
        nodes.clear()
        output, background = nodes.new("ShaderNodeOutputWorld"), nodes.new("ShaderNodeBackground")
        links.new(background.outputs["Background"], output.inputs["Surface"])
        background.inputs["Strength"].default_value = environment["strength"]
        background.inputs["Color"].default_value = (*environment["colour"], 1.0)
        if environment["image"]:
            kinds = ("TexCoord", "Mapping", "TexEnvironment")
            coordinates, turn, texture = (nodes.new(f"ShaderNode{kind}") for kind in kinds)
            # The direction is turned back, so that the image is turned.
            turn.inputs["Rotation"].default_value = (0.0, 0.0, -math.radians(environment["turn_deg"]))
            texture.image = self.assets.environment(environment["image"])
            links.new(coordinates.outputs["Generated"], turn.inputs["Vector"])
            links.new(turn.outputs["Vector"], texture.inputs["Vector"])
            tint = nodes.new("ShaderNodeVectorMath")
            tint.operation = "MULTIPLY"
            tint.inputs[1].default_value = environment["colour"]
            links.new(texture.outputs["Color"], tint.inputs[0])
            links.new(tint.outputs["Vector"], background.inputs["Color"])
        self._world.cycles.sampling_method = "MANUAL" if environment["image"] else "NONE"
        self._world.cycles.sample_map_resolution = _MAP_RESOLUTION


def _light_direction(lamps: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Unit vector towards the strongest lamp, as seen from what it shines at."""
    if not lamps:
        return _OVERHEAD
    strongest = max(lamps, key=lambda lamp: lamp["energy"])
    direction = np.subtract(strongest["position"], strongest["target"])
    length = float(np.linalg.norm(direction))
    if length == 0.0:
        return _OVERHEAD
    return tuple((direction / length).tolist())
