import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.sample import Instance
from cadsight_perception.health.statistics import Statistics
from cadsight_perception.health.timing import FrameTiming, timing_from_message, timing_to_message
from cadsight_perception.messages.markers import markers, position
from diagnostic_msgs.msg import DiagnosticArray
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

CAMERA = Camera(ImageSize(640, 480), 600.0, 600.0, 319.5, 239.5)
HEADER = Header(frame_id="optical")
# 60 pixels wide, its centre 150 pixels right of the optical axis.
PART = Instance(0, Box(440.0, 220.0, 500.0, 260.0), score=0.87, normal=np.array([0.0, 0.6, -0.8]), source="human")


def test_a_part_is_as_far_away_as_it_looks_small():
    # 0.1 m over 60 pixels at 600 pixels a radian: 1 m ahead, and 150 / 600 of that to the right.
    assert position(PART, CAMERA, 0.1, None) == pytest.approx([0.25, 0.0, 1.0])


def test_depth_decides_where_it_is_known():
    depth = np.zeros((480, 640), np.float32)
    assert position(PART, CAMERA, 0.1, depth) == pytest.approx([0.25, 0.0, 1.0])
    depth[235:245, 460:480] = 0.8
    depth[235, 460] = 5.0
    assert position(PART, CAMERA, 0.1, depth) == pytest.approx([0.2, 0.0, 0.8])


def test_each_normal_is_an_arrow_and_a_word_in_the_images_frame():
    unseen = Instance(1, Box(0.0, 0.0, 10.0, 10.0), score=0.5, source="human")
    array = markers([unseen, PART], [np.zeros(3), np.array([0.25, 0.0, 1.0])], HEADER, ("bracket", "plate"), 0.1)
    arrow, text = array.markers
    assert (arrow.type, text.type, text.text) == (Marker.ARROW, Marker.TEXT_VIEW_FACING, "bracket 0.87")
    assert arrow.header == text.header == HEADER
    start, end = arrow.points
    assert (start.x, start.y, start.z) == (0.25, 0.0, 1.0)
    assert (end.x, end.y, end.z) == pytest.approx((0.25, 0.06, 0.92))
    assert arrow.lifetime.nanosec > 0


def test_statistics_hold_counts_and_percentiles():
    statistics = Statistics()
    assert "latency_ms_p50" not in statistics.values()
    for latency in (10.0, 20.0, 30.0):
        statistics.processed(latency, latency / 10)
    statistics.count("bad_messages")
    values = statistics.values()
    assert (values["processed"], values["bad_messages"], values["latency_ms_p50"]) == (3, 1, 20.0)
    assert values["overhead_ms_p50"] == 2.0
    assert values["latency_ms_p99"] == pytest.approx(29.8)
    assert statistics.silence_s >= 0


def test_timing_goes_through_its_message():
    timing = FrameTiming(1_795_000_000_123_456_789, 1_795_000_000_223_456_789, 100.25, 70.5, 20.125, 12, 3)
    header = Header(frame_id="optical")
    header.stamp.sec, header.stamp.nanosec = 1_795_000_000, 5
    assert timing_from_message(timing_to_message(timing, header)) == (1_795_000_000_000_000_005, timing)
    assert timing.overhead_ms == pytest.approx(9.625)
    with pytest.raises(CadsightError, match="timing"):
        timing_from_message(DiagnosticArray())
