import numpy as np
import pytest
from cadsight_core.imaging.images import write_image
from hypothesis import HealthCheck, settings

# A busy machine is no reason to fail.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture
def image_file(tmp_path):
    """Writes an image of random pixels: ``image("images/a.png", width=40, height=30)`` returns its path."""

    def write(name, width=40, height=30, seed=0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))
        return path

    return write
