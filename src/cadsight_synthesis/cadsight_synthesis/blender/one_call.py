"""What our engine is measured against: one image as BlenderProc's own examples draw it, in a process of its own.

    python -m cadsight_synthesis.blender.one_call SCENE.json VIEW FOLDER

BlenderProc's default settings, with its normals and its segmentation; all of it goes to FOLDER/0.hdf5.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cadsight_synthesis.blender.shim import bproc, init

_BLENDER_FROM_OPTICAL = np.diag([1.0, -1.0, -1.0, 1.0])


def main() -> None:
    scene, number, folder = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2]), Path(sys.argv[3])
    init(folder)
    _place_bodies(scene)
    view = scene["views"][number]
    camera = view["camera"]
    matrix = np.array([[camera["fx"], 0, camera["cx"]], [0, camera["fy"], camera["cy"]], [0, 0, 1]])
    # Its nearest distance is 0.1 m by default, and a part on a table may be nearer.
    bproc.camera.set_intrinsics_from_K_matrix(matrix, camera["width"], camera["height"], clip_start=0.001)
    bproc.camera.add_camera_pose(np.array(view["world_from_camera"]) @ _BLENDER_FROM_OPTICAL)
    bproc.renderer.enable_normals_output()
    data = bproc.renderer.render()
    data.update(bproc.renderer.render_segmap(map_by=["instance", "class", "name"]))
    bproc.writer.write_hdf5(str(folder), data)
    # Blender's own end, in a process that is not its own, crashes now and then.
    sys.stdout.flush()
    os._exit(0)


def _place_bodies(scene: dict[str, Any]) -> None:
    for index, body in enumerate(scene["bodies"]):
        (thing,) = bproc.loader.load_obj(body["mesh"])
        thing.set_name(f"body {index}")
        thing.set_cp("category_id", index + 1)
        thing.set_local2world_mat(body["world_from_body"])
        (material,) = thing.get_materials()
        look = body["material"]
        material.set_principled_shader_value("Base Color", [*look["colour"], 1.0])
        material.set_principled_shader_value("Roughness", look["roughness"])
        material.set_principled_shader_value("Metallic", look["metallic"])
        if look["texture"]:
            thing.add_uv_mapping("cube")
            bproc.material.add_base_color(
                material.nodes, material.links, look["texture"], material.get_the_one_node_with_type("BsdfPrincipled")
            )
    for lamp in scene["lamps"]:
        light = bproc.types.Light(lamp["kind"].upper())
        light.set_location(lamp["position"])
        light.set_energy(lamp["energy"])
        light.set_color(lamp["colour"])
        if lamp["kind"] != "point":
            along = np.subtract(lamp["target"], lamp["position"])
            light.set_rotation_mat(bproc.camera.rotation_from_forward_vec(along))
        if lamp["kind"] == "area":
            light.blender_obj.data.size = lamp["size"]
    around = scene["environment"]
    if around["image"]:
        bproc.world.set_world_background_hdr_img(around["image"], around["strength"])
    else:
        bproc.renderer.set_world_background(around["colour"], around["strength"])


if __name__ == "__main__":
    main()
