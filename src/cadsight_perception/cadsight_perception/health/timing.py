"""When each frame came, when its results went out, and how long the models took: one small message a frame."""

from dataclasses import asdict, dataclass

from cadsight_core.errors import CadsightError
from cadsight_ros.convert.messages import stamp_ns
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header


@dataclass(frozen=True)
class FrameTiming:
    """The times of one frame.

    Attributes:
        received_ns: arrival in the node, by the ROS clock.
        published_ns: after the last of its results was published, by the ROS clock.
        latency_ms: between the two, by a clock that only goes forward.
        detector_ms: the bare call of the detector.
        regressor_ms: the bare call of the regressor.
        received: images that arrived since activation.
        dropped: images that a newer one pushed out of the slot since activation.
    """

    received_ns: int
    published_ns: int
    latency_ms: float
    detector_ms: float
    regressor_ms: float
    received: int
    dropped: int

    @property
    def overhead_ms(self) -> float:
        """What the frame took besides the two bare model calls."""
        return self.latency_ms - self.detector_ms - self.regressor_ms


def timing_to_message(timing: FrameTiming, header: Header) -> DiagnosticArray:
    """As a message, with the header of the frame's image."""
    values = [KeyValue(key=key, value=repr(value)) for key, value in asdict(timing).items()]
    return DiagnosticArray(header=header, status=[DiagnosticStatus(name="frame", values=values)])


def timing_from_message(message: DiagnosticArray) -> tuple[int, FrameTiming]:
    """The stamp of the image in nanoseconds, and its timing.

    Raises:
        CadsightError: when it is another kind of status.
    """
    try:
        values = {pair.key: pair.value for pair in message.status[0].values}
        kinds = FrameTiming.__annotations__
        return stamp_ns(message.header.stamp), FrameTiming(**{key: kinds[key](values[key]) for key in kinds})
    except (IndexError, KeyError, ValueError) as error:
        raise CadsightError(
            f"a frame's timing lacks a usable {error}, expected what the perception node sends"
        ) from error
