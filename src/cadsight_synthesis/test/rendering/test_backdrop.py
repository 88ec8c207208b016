import numpy as np
import OpenEXR
import pytest
from cadsight_core.errors import CadsightError
from cadsight_synthesis.rendering.backdrop import read_sky
from cadsight_synthesis.rendering.scene import Environment


def test_an_environment_of_luminance_alone_is_grey_and_other_channels_are_named(tmp_path):
    light = np.linspace(0, 2, 32, dtype=np.float32).reshape(4, 8)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    for name, channels in {
        "y": {"Y": light},
        "z": {"Z": light},
        "luma": {"Y": light, "RY": light, "BY": light},
    }.items():
        OpenEXR.File(header, channels).write(str(tmp_path / f"{name}.exr"))
    sky = read_sky(Environment(image=tmp_path / "y.exr"))
    np.testing.assert_allclose(sky.radiance, np.repeat(light[..., None], 3, axis=2))
    with pytest.raises(CadsightError, match=r"z\.exr has the channels Z, expected RGB or Y"):
        read_sky(Environment(image=tmp_path / "z.exr"))
    with pytest.raises(CadsightError, match=r"luma\.exr has the channels BY, RY, Y, expected RGB or Y"):
        read_sky(Environment(image=tmp_path / "luma.exr"))
