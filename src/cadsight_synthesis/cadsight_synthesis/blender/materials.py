"""Surfaces: a description becomes Blender's shader nodes, kept while descriptions come back."""

from typing import Any

import bpy

from cadsight_synthesis.blender.assets import Assets, Kept

_MOST = 256
# So rough that what a principled surface adds is not seen, at half the time.
_DIFFUSE_ROUGHNESS = 0.9
_IMAGE = "image"


class Materials:
    """Materials by what they look like."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._kept = Kept(_MOST, bpy.data.materials.remove)

    def get(self, look: dict[str, Any], light: tuple[float, float, float] | None) -> bpy.types.Material:
        """A material that takes part in ray tracing, or with ``light`` one that shows itself, lit from there.

        Raises:
            SceneError: for a texture that cannot be used.
        """
        texture = look["texture"]
        image = self._assets.texture(texture) if texture else None
        name = (repr(sorted(look.items(), key=lambda item: item[0])), light)
        material = self._kept.get(name, lambda: _make(look, image, light))
        # The image may have been dropped and read again since the material was made.
        node = material.node_tree.nodes.get(_IMAGE)
        if node is not None and node.image != image:
            node.image = image
        return material

    def trim(self) -> None:
        self._kept.trim()


def _make(
    look: dict[str, Any], image: bpy.types.Image | None, light: tuple[float, float, float] | None
) -> bpy.types.Material:
    material = bpy.data.materials.new("surface")
    material.use_nodes = True
    material.use_fake_user = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    output = nodes.new("ShaderNodeOutputMaterial")
    colour = _colour(nodes, links, look, image)
    if light is not None:
        shader, entry = _flat(nodes, links, light)
        material.cycles.emission_sampling = "NONE"
    elif look["metallic"] == 0.0 and look["roughness"] >= _DIFFUSE_ROUGHNESS:
        shader = nodes.new("ShaderNodeBsdfDiffuse")
        entry = shader.inputs["Color"]
    else:
        shader = nodes.new("ShaderNodeBsdfPrincipled")
        shader.distribution = "GGX"
        shader.inputs["Roughness"].default_value = look["roughness"]
        shader.inputs["Metallic"].default_value = look["metallic"]
        entry = shader.inputs["Base Color"]
    if isinstance(colour, tuple):
        entry.default_value = colour
    else:
        links.new(colour, entry)
    links.new(shader.outputs[0], output.inputs["Surface"])
    return material


def _colour(nodes: Any, links: Any, look: dict[str, Any], image: bpy.types.Image | None) -> Any:
    """A socket, or a plain colour where there is no texture."""
    plain = (*look["colour"], 1.0)
    if look["painted"]:
        vertices = nodes.new("ShaderNodeVertexColor")
        return _times(nodes, links, vertices.outputs["Color"], plain)
    if image is None:
        return plain
    coordinates, scale, texture = (nodes.new(f"ShaderNode{kind}") for kind in ("TexCoord", "Mapping", "TexImage"))
    scale.inputs["Scale"].default_value = (1.0 / look["texture_size_m"],) * 3
    texture.name = _IMAGE
    texture.image = image
    links.new(coordinates.outputs["UV"], scale.inputs["Vector"])
    links.new(scale.outputs["Vector"], texture.inputs["Vector"])
    return _times(nodes, links, texture.outputs["Color"], plain)


def _times(nodes: Any, links: Any, colour: Any, plain: tuple[float, ...]) -> Any:
    product = nodes.new("ShaderNodeVectorMath")
    product.operation = "MULTIPLY"
    product.inputs[1].default_value = plain[:3]
    links.new(colour, product.inputs[0])
    return product.outputs["Vector"]


def _flat(nodes: Any, links: Any, light: tuple[float, float, float]) -> tuple[Any, Any]:
    """Half Lambert: 0.3 in the shade to 1 towards the light, with no ray beyond the first."""
    emission, geometry = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeNewGeometry")
    cosine = nodes.new("ShaderNodeVectorMath")
    cosine.operation = "DOT_PRODUCT"
    cosine.inputs[1].default_value = light
    links.new(geometry.outputs["Normal"], cosine.inputs[0])
    shade = nodes.new("ShaderNodeMapRange")
    for name, value in (("From Min", -1.0), ("From Max", 1.0), ("To Min", 0.3), ("To Max", 1.0)):
        shade.inputs[name].default_value = value
    links.new(cosine.outputs["Value"], shade.inputs["Value"])
    links.new(shade.outputs["Result"], emission.inputs["Strength"])
    return emission, emission.inputs["Color"]
