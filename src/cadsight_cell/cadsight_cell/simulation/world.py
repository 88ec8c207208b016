"""The truth of one simulated cell, all of it decided by a seed; and what its software knows instead."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import check, parameter
from cadsight_core.geometry import Array, Pose, unit
from numpy.random import Generator

# Focal length over image width of the D435's colour stream at 4:3 and 16:9.
_FOCAL_PER_WIDTH = {"4:3": 0.961, "16:9": 0.719}
OPTICAL_FRAME = "camera_color_optical_frame"


@dataclass(frozen=True)
class WorldParameters:
    """The cell as it is built; what varies from seed to seed varies around it."""

    seed: int = parameter(0, "decides light, exposure, noise, lens, where the camera hangs and all errors", minimum=0)
    width: int = parameter(640, "width of the colour image, pixels", minimum=64, maximum=1920)
    height: int = parameter(480, "height of the colour image, pixels", minimum=48, maximum=1080)
    camera_position: tuple[float, ...] = parameter(
        (0.34, 0.0, 0.88),
        "where the camera hangs in base_link, metres; it looks straight down",
        minimum=-10.0,
        maximum=10.0,
        length=3,
    )
    camera_spread_m: float = parameter(0.01, "how far it may hang from there, metres", minimum=0.0, maximum=0.1)
    camera_tilt_deg: float = parameter(2.0, "how far it may tilt, degrees", minimum=0.0, maximum=20.0)
    hand_eye_error_mm: float = parameter(
        1.0, "distance of the calibrated camera from the true one", minimum=0.0, maximum=100.0
    )
    hand_eye_error_deg: float = parameter(
        0.2, "angle of the calibrated camera to the true one", minimum=0.0, maximum=20.0
    )
    joint_noise_deg: float = parameter(0.02, "standard deviation of each joint reading", minimum=0.0, maximum=5.0)
    light_spread: float = parameter(1.0, "how far light and exposure vary with the seed", minimum=0.0, maximum=2.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Light:
    """Lamp over the table: position in base_link in metres, colour and strength 0 to 1, ambient fraction 0 to 1."""

    position: tuple[float, float, float]
    colour: tuple[float, float, float]
    strength: float
    ambient: float


@dataclass(frozen=True)
class Sensor:
    """How the camera turns light into numbers.

    Attributes:
        gain: of red, green and blue (exposure times white balance).
        gamma: exponent on the normalised value.
        read_noise, shot_noise: standard deviation in counts, constant and at full scale.
        blur_px: standard deviation of the lens blur.
    """

    gain: tuple[float, float, float]
    gamma: float
    read_noise: float
    shot_noise: float
    blur_px: float


@dataclass(frozen=True, eq=False)
class World:
    """A cell as it really is.

    Attributes:
        camera: true intrinsics; the driver publishes the same.
        base_from_camera: true base_link_from_optical.
        base_from_camera_calibrated: the result of a hand-eye calibration.
        joint_noise: standard deviation of a joint reading in radians.
    """

    seed: int
    camera: Camera
    base_from_camera: Pose
    base_from_camera_calibrated: Pose
    joint_noise: float
    light: Light
    sensor: Sensor
    record: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "camera": self.camera.to_json(),
            "base_from_camera": self.base_from_camera.to_json(),
            "base_from_camera_calibrated": self.base_from_camera_calibrated.to_json(),
            "joint_noise": self.joint_noise,
            "light": vars(self.light),
            "sensor": vars(self.sensor),
            "record": self.record,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "World":
        return World(
            seed=int(data["seed"]),
            camera=Camera.from_json(data["camera"]),
            base_from_camera=Pose.from_json(data["base_from_camera"]),
            base_from_camera_calibrated=Pose.from_json(data["base_from_camera_calibrated"]),
            joint_noise=float(data["joint_noise"]),
            light=_tuples(Light, data["light"]),
            sensor=_tuples(Sensor, data["sensor"]),
            record=dict(data["record"]),
        )


def make_world(parameters: WorldParameters) -> World:
    """The cell of ``parameters.seed``; the same parameters give the same cell."""
    p = parameters
    rng = np.random.default_rng([p.seed, 0xCAD])
    camera = _lens(ImageSize(p.width, p.height), rng)
    base_from_camera = _camera_pose(p, rng)
    error = Pose.from_rotvec(
        _direction(rng) * np.deg2rad(p.hand_eye_error_deg), _direction(rng) * p.hand_eye_error_mm / 1000
    )
    return World(
        seed=p.seed,
        camera=camera,
        base_from_camera=base_from_camera,
        base_from_camera_calibrated=base_from_camera @ error,
        joint_noise=float(np.deg2rad(p.joint_noise_deg)),
        light=_light(p.light_spread, rng),
        sensor=_sensor(p.light_spread, rng),
        record={"hand_eye_error_mm": p.hand_eye_error_mm, "hand_eye_error_deg": p.hand_eye_error_deg},
    )


def moved_lamp(world: World, moves: int, spread: float = 1.0) -> Light:
    """The light of ``world`` after somebody has moved its lamp so many times; its own light before that."""
    if moves == 0:
        return world.light
    return _light(spread, np.random.default_rng([world.seed, 0x1A, moves]))


def _lens(size: ImageSize, rng: Generator) -> Camera:
    ratio = "16:9" if size.width / size.height > 1.5 else "4:3"
    focal = _FOCAL_PER_WIDTH[ratio] * size.width * (1 + rng.uniform(-0.01, 0.01))
    cx, cy = (size.width - 1) / 2, (size.height - 1) / 2
    shift = rng.uniform(-0.008, 0.008, 2) * size.width
    distortion = rng.uniform(-1, 1, 5) * (0.06, 0.04, 0.0008, 0.0008, 0.0)
    return Camera(size, focal, focal, cx + shift[0], cy + shift[1], tuple(distortion.tolist()), OPTICAL_FRAME)


def _camera_pose(p: WorldParameters, rng: Generator) -> Pose:
    # Looking down: the image's right is base_link's -y, its upper edge base_link's +x.
    down = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    tilt = Pose.from_rotvec(np.deg2rad(p.camera_tilt_deg) * rng.uniform(-1, 1, 3))
    position = np.asarray(p.camera_position) + p.camera_spread_m * rng.uniform(-1, 1, 3)
    return Pose(down, position) @ tilt


def _light(spread: float, rng: Generator) -> Light:
    angle, away = rng.uniform(0, 2 * np.pi), 0.35 + 0.25 * spread * rng.uniform()
    position = (0.3 + away * np.cos(angle), away * np.sin(angle), 1.5 + 0.2 * spread * rng.uniform(-1, 1))
    warmth = 0.06 * spread * rng.uniform(-1, 1)
    colour = (min(1.0, 1 + warmth), 1.0, min(1.0, 1 - warmth))
    return Light(
        tuple(map(float, position)),  # type: ignore[arg-type]
        colour,
        float(0.45 + 0.06 * spread * rng.uniform(-1, 1)),
        float(0.50 + 0.04 * spread * rng.uniform(-1, 1)),
    )


def _sensor(spread: float, rng: Generator) -> Sensor:
    exposure = 1 + 0.06 * spread * rng.uniform(-1, 1)
    balance = 1 + 0.02 * spread * rng.uniform(-1, 1, 3)
    return Sensor(
        gain=tuple((exposure * balance).tolist()),
        gamma=float(1 + 0.08 * spread * rng.uniform(-1, 1)),
        read_noise=float(rng.uniform(1.0, 2.0)),
        shot_noise=float(rng.uniform(1.5, 3.0)),
        blur_px=float(rng.uniform(0.35, 0.6)),
    )


def _direction(rng: Generator) -> Array:
    return unit(rng.normal(size=3))


def _tuples(cls: Any, data: Mapping[str, Any]) -> Any:
    values = {f.name: data[f.name] for f in fields(cls)}
    return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})
