"""A perception node of its own for a benchmark: models without any training, a camera, and the node's process."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
from cadsight_core.errors import CadsightError

# Looked at live: as many images a second, of this size.
FPS, WIDTH, HEIGHT = 15.0, 640, 480


def random_models(folder: Path) -> Path:
    """A registry in ``folder``, which is returned: YOLO11 nano and a regressor of normals with random weights."""
    from cadsight_learning.normals.torch_regressor import NormalRegressor
    from cadsight_learning.registry.card import ModelCard
    from cadsight_learning.registry.store import save_model

    from cadsight_cli.benchmarks.learning.inference import random_detector

    random_detector(folder / "detector", WIDTH)
    card = ModelCard("normals", "compact", ("part",), 112, extra={"covariance": np.eye(3).tolist()})
    save_model(folder / "normals", card, NormalRegressor("compact", 112).module.state_dict())
    return folder


class Camera:
    """Random images in a process of its own, until it is closed.

    Attributes:
        films: set once images are published.
        inferred: set once a perception node has published results of one.
    """

    def __init__(self, domain: int) -> None:
        context = get_context("spawn")
        self.films, self.inferred = context.Event(), context.Event()
        self._process = context.Process(target=_film, args=(domain, self.films, self.inferred), daemon=True)
        self._process.start()

    @property
    def status(self) -> int | None:
        """The exit status of its process, None while it runs."""
        return self._process.exitcode

    def close(self) -> None:
        self._process.kill()
        self._process.join()


@contextlib.contextmanager
def perception(domain: int, models: Path, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """The perception node with ``models`` in a process of its own, while the body runs."""
    own = {"models_folder": models, "warm_up_width": WIDTH, "warm_up_height": HEIGHT}
    words = [sys.executable, "-m", "cadsight_ros.node.entry", "cadsight_perception.perception_node", "--ros-args"]
    words += ["-r", "__ns:=/cadsight", *(w for key, value in own.items() for w in ("-p", f"{key}:={value}"))]
    with running(words, log, ROS_DOMAIN_ID=str(domain)) as process:
        yield process


@contextlib.contextmanager
def running(words: list[str], log: Path, **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A program while the body runs, with its output in ``log``.

    Raises:
        CadsightError: when it ended by itself.
    """
    log.parent.mkdir(exist_ok=True)
    with open(log, "wb") as output:
        process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
        if process.poll() is not None:
            raise CadsightError(f"a neighbour ended with status {process.returncode}: {log.read_text()[-500:]}")
    finally:
        process.kill()
        process.wait()


def wait(state: Callable[[], bool], what: str, status: Callable[[], int | None]) -> None:
    """Wait for ``state`` for as long as ``what`` runs.

    Raises:
        CadsightError: when it ended instead.
    """
    while not state():
        if status() is not None:
            raise CadsightError(f"{what} ended with status {status()}, expected it to run beside")
        time.sleep(0.01)


def _film(domain: int, films: Event, inferred: Event) -> None:
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    from cadsight_core.camera import Camera as Intrinsics
    from cadsight_core.camera import ImageSize
    from cadsight_ros.convert import qos
    from cadsight_ros.convert.images import to_message
    from cadsight_ros.convert.messages import camera_to_info
    from cadsight_ros.node.programs import temporary_node
    from sensor_msgs.msg import CameraInfo, Image
    from std_msgs.msg import Header

    from cadsight_perception import topics

    camera = Intrinsics(ImageSize(WIDTH, HEIGHT), 600.0, 600.0, 319.5, 239.5, (), "camera")
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    with temporary_node("benchmark_camera") as node:
        images = node.create_publisher(Image, topics.IMAGE, qos.DRIVER)
        infos = node.create_publisher(CameraInfo, topics.CAMERA_INFO, qos.DRIVER)
        topic = topics.ALL[topics.TIMING]
        node.create_subscription(topic.message_type, topics.TIMING, lambda _: inferred.set(), topic.qos)
        while True:
            header = Header(stamp=node.get_clock().now().to_msg(), frame_id=camera.frame)
            infos.publish(camera_to_info(camera, header.stamp))
            images.publish(to_message(pixels, header))
            films.set()
            time.sleep(1 / FPS)
