"""A plate with a foot, and a camera."""

import pytest
import trimesh
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import ColourRange, Part, load_part_mesh


@pytest.fixture(scope="session")
def part(tmp_path_factory: pytest.TempPathFactory) -> Part:
    path = tmp_path_factory.mktemp("part") / "plate.stl"
    plate = trimesh.creation.box((0.08, 0.05, 0.01))
    foot = trimesh.creation.box((0.02, 0.05, 0.03)).apply_translation((0.03, 0.0, 0.02))
    trimesh.boolean.union([plate, foot], engine="manifold").export(path)
    return Part(
        name="plate",
        mesh=str(path),
        unit="m",
        colour=(ColourRange((5, 90, 60), (25, 255, 255)),),
        point_of_interest=(0.0, 0.0, 0.005),
    )


@pytest.fixture(scope="session")
def mesh(part: Part) -> Mesh:
    return load_part_mesh(part)


@pytest.fixture(scope="session")
def camera() -> Camera:
    return Camera(ImageSize(640, 480), 600.0, 600.0, 319.5, 239.5)
