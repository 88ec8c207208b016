import sys
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.images import write_image

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def picture(tmp_path):
    """Writes a picture of random pixels: ``picture("images/a.png", width=40, height=30)`` returns its path."""

    def write(name, width=40, height=30, seed=0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))
        return path

    return write
