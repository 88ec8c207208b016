"""How images come, by name; imports nothing of ROS, so that commands may read it at their start."""

from typing import Any

from cadsight_core.config.parameters import parameter

RAW, COMPRESSED = "raw", "compressed"


def transport_parameter() -> Any:
    """The field ``image_transport`` of a node's parameters."""
    return parameter(
        RAW,
        "how images come: raw on image_topic, or compressed (JPEG, PNG) on image_topic/compressed, as ROS's "
        "image_transport sends them",
        choices=(RAW, COMPRESSED),
    )
