"""The sensor's noise is as large as stated."""

import numpy as np
import pytest
from cadsight_cell.simulation.sensor import Imager
from cadsight_cell.simulation.world import Sensor
from cadsight_core.camera import Camera, ImageSize

CAMERA = Camera(ImageSize(320, 240), 307.0, 307.0, 161.5, 117.0, (0.06, -0.04, 0.0008, -0.0008, 0.0), "optical")
PLAIN = Sensor(gain=(1.0, 1.0, 1.0), gamma=1.0, read_noise=1.5, shot_noise=2.0, blur_px=0.4)


def test_the_noise_of_a_flat_image_has_the_stated_std_and_no_offset() -> None:
    imager = Imager(PLAIN, CAMERA, seed=3)
    flat = np.full((240, 320, 3), 128, np.uint8)
    frames = np.stack([imager.expose(flat, i) for i in range(6)]).astype(float)
    # sqrt(1.5^2 + 2^2) = 2.5 counts, and 1/12 of a squared count for whole numbers.
    assert frames.std() == pytest.approx(np.sqrt(2.5**2 + 1 / 12), rel=0.01)
    assert frames.mean() == pytest.approx(128.0, abs=0.03)


def test_noise_is_a_function_of_seed_and_frame() -> None:
    flat = np.full((240, 320, 3), 128, np.uint8)
    first = Imager(PLAIN, CAMERA, seed=3).expose(flat, 7)
    assert np.array_equal(first, Imager(PLAIN, CAMERA, seed=3).expose(flat, 7))
    assert not np.array_equal(first, Imager(PLAIN, CAMERA, seed=3).expose(flat, 8))
    assert not np.array_equal(first, Imager(PLAIN, CAMERA, seed=4).expose(flat, 7))


def test_gain_and_gamma_act_on_each_colour() -> None:
    quiet = Sensor(gain=(1.1, 1.0, 0.5), gamma=2.0, read_noise=0.0, shot_noise=0.0, blur_px=0.4)
    flat = np.full((240, 320, 3), 204, np.uint8)
    # 0.8^2 = 0.64 of full scale: 163.2, times the gain.
    assert Imager(quiet, CAMERA, seed=0).expose(flat, 0)[120, 160].tolist() == [180, 163, 82]
