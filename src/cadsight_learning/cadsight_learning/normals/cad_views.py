"""Views of a part drawn from its CAD file, to learn its normals beside captured ones.

A captured session has one lamp, and the shadows of that lamp mislead a regressor under the next one. Drawn views have a
lamp each, no cast shadows, and poses between the captured ones.
"""

from collections.abc import Sequence

import numpy as np
import trimesh
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose
from cadsight_core.imaging.images import Rgb
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part, load_part_mesh
from cadsight_core.sample import Instance, Sample
from scipy.spatial.transform import Rotation

from cadsight_learning.data.painter import draw, random_background
from cadsight_learning.normals.crops import View, views_in

# Of the captured poses' tilt and roll, degrees: what is drawn lies between and a little around them.
_TILT, _ROLL = 9.0, 20.0
# The painter's algorithm sorts faces by their middle, which goes wrong where faces are long: none longer than this
# fraction of the part.
_LONGEST_EDGE = 0.12


def drawn_views(part: Part, samples: Sequence[Sample], count: int, size: int, seed: int) -> list[View]:
    """``count`` views of ``part`` at poses around those of ``samples``, as seen by their cameras.

    Raises:
        CadsightError: when no sample has the pose of this part and a camera, or the mesh cannot be read.
    """
    poses = [
        (sample, instance.camera_from_part)
        for sample in samples
        if sample.camera is not None
        for instance in sample.instances
        if instance.camera_from_part is not None and instance.class_id == part.class_id
    ]
    if not poses:
        raise CadsightError(f"none of {len(samples)} samples has a camera and the pose of {part.name}, expected some")
    mesh = _of_short_faces(load_part_mesh(part))
    rng = np.random.default_rng([seed, 0xD3A])
    found: list[View] = []
    while len(found) < count:
        sample, pose = poses[int(rng.integers(len(poses)))]
        found += _drawn(part, mesh, sample, _around(pose, rng), rng, f"drawn{len(found):05d}", size)
    return found


def _drawn(
    part: Part, mesh: Mesh, sample: Sample, pose: Pose, rng: np.random.Generator, name: str, size: int
) -> list[View]:
    assert sample.camera is not None  # chosen so
    normal = pose.rotation @ np.asarray(part.axis_of_interest)
    if normal @ pose.translation / np.linalg.norm(pose.translation) > -0.5:
        return []
    ground: Rgb = random_background(sample.size, rng)
    # Linear to the camera's numbers, and as far from the part's colour as another lamp or paint would take it.
    colour = 255 * np.clip(np.array(part.display_colour), 0, 1) ** (1 / 2.2) * rng.uniform(0.6, 1.1, 3)
    drawing = draw([(part.class_id, mesh)], [pose], sample.camera, ground, rng, [np.clip(colour, 0, 255)])
    instances = tuple(Instance(i.class_id, i.box, i.mask, pose, normal, source="render") for i in drawing.instances)
    drawn = Sample(name, sample.image, sample.size, sample.camera, instances, "synthetic")
    return views_in(drawn, drawing.image, size, {part.class_id: part.symmetry})


def _around(pose: Pose, rng: np.random.Generator) -> Pose:
    angles = rng.normal(0, np.deg2rad(_TILT), 2), rng.uniform(-1, 1) * np.deg2rad(_ROLL)
    turn = Rotation.from_rotvec([*angles[0], angles[1]]).as_matrix()
    return Pose(turn @ pose.rotation, pose.translation)


def _of_short_faces(mesh: Mesh) -> Mesh:
    vertices, faces = trimesh.remesh.subdivide_to_size(
        mesh.vertices, mesh.faces, max_edge=_LONGEST_EDGE * mesh.diameter, max_iter=12
    )
    return Mesh(np.asarray(vertices), np.asarray(faces))
