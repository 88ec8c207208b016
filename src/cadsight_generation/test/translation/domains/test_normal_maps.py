import numpy as np
import pytest
import trimesh
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.geometry import Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.silhouette import silhouette
from cadsight_core.sample import Sample
from cadsight_generation.translation.domains.normal_maps import normal_map
from objects import sample_of


def test_the_face_of_a_box_has_its_normal_and_the_ground_has_none():
    box = trimesh.creation.box((0.1, 0.1, 0.1))
    mesh, camera = Mesh(box.vertices, box.faces), Camera(ImageSize(80, 60), 80, 80, 39.5, 29.5)
    pose = Pose.from_rotvec([0, 0.3, 0], [0, 0, 0.5])
    mask = silhouette(mesh, pose, camera)
    label = sample_of(mask, camera_from_part=pose).instances[0]
    found = normal_map(Sample("a", "", camera.size, camera, (label,)), {0: mesh})
    expected = pose.rotation @ [0, 0, -1]
    assert found[29, 39] == pytest.approx(expected, abs=1e-5)
    assert not found[~mask].any()
    assert np.linalg.norm(found[mask], axis=1) == pytest.approx(1, abs=1e-3)
    assert not normal_map(Sample("a", "", camera.size, None, (label,)), {0: mesh}).any()
