"""The options that name the topics of a camera."""

import argparse

from cadsight_ros.convert.camera_topics import CAMERA_INFO, IMAGE


def add_camera_topics(parser: argparse.ArgumentParser) -> None:
    """Add ``--image-topic`` and ``--camera-info-topic``."""
    parser.add_argument(
        "--image-topic",
        default=IMAGE,
        metavar="TOPIC",
        help="images that the perception node reads; one that ends in /compressed holds compressed ones (%(default)s)",
    )
    parser.add_argument(
        "--camera-info-topic", default=CAMERA_INFO, metavar="TOPIC", help="the camera's intrinsics (%(default)s)"
    )


def camera_topics(args: argparse.Namespace) -> tuple[str, str]:
    """The topics of images and intrinsics.

    Raises:
        CadsightError: for a text that is no topic's name.
    """
    from cadsight_core.config.parameters import checked
    from cadsight_perception.parameters import PerceptionParameters

    given = {"image_topic": args.image_topic, "camera_info_topic": args.camera_info_topic}
    image, camera_info = (checked(PerceptionParameters, name, value) for name, value in given.items())
    return image, camera_info
