import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from cadsight_core.camera import Camera, ImageSize
from cadsight_learning.registry.store import version
from cadsight_learning.runtime.sessions import runtime_of
from cadsight_perception.health.timing import timing_from_message
from cadsight_perception.perception_node import PerceptionNode
from cadsight_ros.clients import ServiceClient
from cadsight_ros.convert import qos
from cadsight_ros.convert.camera_topics import DEPTH
from cadsight_ros.convert.images import depth_to_message
from cadsight_ros.convert.messages import camera_to_info
from cadsight_ros.domains import own_domain
from cadsight_ros.node.diagnostics import ERROR, OK, STALE, WARN
from cadsight_ros.testing import spun
from camera_rig import CAMERA, CameraRig
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool, Trigger

from cadsight_interfaces.msg import SeenImage
from cadsight_interfaces.srv import GetStatistics, LoadModel
from cadsight_perception import topics


@pytest.fixture
def started(ros, models):
    """Starts the node with parameters and gives a camera that it listens to."""
    with contextlib.ExitStack() as stack:

        def start(*parameters: str, wait: bool = True, info: bool = True) -> CameraRig:
            given = [
                f"models_folder:={models}", "confidence:=0.0", "max_detections:=2", "warm_up_width:=64",
                "warm_up_height:=48", *parameters,
            ]  # fmt: skip
            ros("-r", "__ns:=/cadsight", *(word for p in given for word in ("-p", p)))
            tester = Node("camera")
            stack.enter_context(spun(tester))
            stack.enter_context(spun(PerceptionNode(), 3))
            rig = CameraRig(tester)
            if wait:
                rig.wait_for_listener(info)
            return rig

        yield start


def statistics(rig: CameraRig) -> dict[str, str]:
    client = ServiceClient(rig.node, GetStatistics, "/cadsight/perception/get_statistics", timeout_s=40.0)
    return {pair.key: pair.value for pair in client.call(GetStatistics.Request()).status.values}


def load(rig: CameraRig, detector: str = "", regressor: str = "") -> LoadModel.Response:
    client = ServiceClient(rig.node, LoadModel, "/cadsight/perception/load_model", timeout_s=40.0)
    return client.call(LoadModel.Request(detector=detector, regressor=regressor))


def test_every_result_carries_the_stamp_and_frame_of_its_image(started):
    rig = started()
    for _ in range(3):
        header = rig.image()
        detections, normals = rig.of(topics.DETECTIONS, header), rig.of(topics.NORMALS, header)
        assert detections.header == normals.header == header
        assert [d.id for d in detections.detections] == [n.id for n in normals.normals] == ["0", "1"]
        for normal, detection in zip(normals.normals, detections.detections, strict=True):
            assert normal.bbox == detection.bbox
            assert normal.class_id == detection.results[0].hypothesis.class_id
            assert normal.normal.x**2 + normal.normal.y**2 + normal.normal.z**2 == pytest.approx(1.0)
            assert sum(normal.covariance[::4]) == pytest.approx(6e-4)
        _, timing = timing_from_message(rig.of(topics.TIMING, header))
        assert 0 < timing.detector_ms + timing.regressor_ms < timing.latency_ms
        assert timing.received_ns < timing.published_ns
        assert rig.until(lambda: len(rig.received[topics.MARKERS]) > 0)
        assert [m.header for m in rig.received[topics.MARKERS].pop().markers] == [header] * 4
    assert statistics(rig)["processed"] == "3"


BAD = [
    ({"width": 0, "height": 0, "step": 0, "data": b""}, "0 x 0 pixels"),
    ({"encoding": "rgb7"}, "encoded as 'rgb7'"),
    ({"encoding": ""}, "encoded as ''"),
    ({"data": bytes(100)}, "has 100 bytes"),
    ({"step": 7}, "in steps of 7"),
    ({"width": 4_000_000_000}, "4000000000 x 48"),
]


def test_bad_images_are_answered_by_a_sentence_and_a_count_and_the_node_goes_on(started, capfd):
    rig = started()
    for number, (changes, sentence) in enumerate(BAD, start=1):
        rig.image(**changes)
        end = time.monotonic() + 40
        while statistics(rig)["bad_messages"] != str(number) and time.monotonic() < end:
            time.sleep(0.05)
        assert statistics(rig)["bad_messages"] == str(number)
        header = rig.image()
        assert rig.of(topics.DETECTIONS, header).header == header
        assert sentence in "".join(capfd.readouterr())
        time.sleep(1.0)  # a flood of bad images is one sentence a second
    assert statistics(rig)["processed"] == str(len(BAD))


def test_a_camera_info_that_does_not_fit_costs_the_normals_and_not_the_boxes(started, capfd):
    rig = started()
    rig.info(Camera(ImageSize(1280, 720), 900.0, 900.0, 640.0, 360.0, (), CAMERA.frame))
    time.sleep(0.3)
    header = rig.image()
    assert len(rig.of(topics.DETECTIONS, header).detections) == 2
    assert rig.of(topics.NORMALS, header).normals == []
    assert "is for 1280 x 720 pixels, expected its image's 64 x 48" in "".join(capfd.readouterr())
    assert statistics(rig)["without_camera"] == "1"
    rig.info()
    time.sleep(0.3)
    assert len(rig.of(topics.NORMALS, rig.image()).normals) == 2


def test_images_come_compressed_and_on_topics_of_other_names(started, capfd):
    given = (
        "image_topic:=/usb_cam/image_raw",
        "image_transport:=compressed",
        "camera_info_topic:=/usb_cam/camera_info",
    )
    rig = started(*given, wait=False)
    images = rig.node.create_publisher(CompressedImage, "/usb_cam/image_raw/compressed", qos.DRIVER)
    infos = rig.node.create_publisher(CameraInfo, "/usb_cam/camera_info", qos.DRIVER)
    header = Header(stamp=rig.stamp(), frame_id=CAMERA.frame)
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    sent = CompressedImage(header=header, format="jpeg", data=cv2.imencode(".jpg", pixels)[1].tobytes())
    while not rig.received[topics.NORMALS] or not rig.received[topics.NORMALS][-1].normals:
        infos.publish(camera_to_info(CAMERA, header.stamp))
        images.publish(sent)
        time.sleep(0.1)
    assert rig.received[topics.DETECTIONS][-1].header == header
    assert "ready: reads images on /usb_cam/image_raw/compressed" in "".join(capfd.readouterr())


def test_with_depth_a_detection_has_the_parts_pose_and_without_says_that_it_is_not_known(started):
    rig = started("use_depth:=true")
    depths = rig.node.create_publisher(Image, DEPTH, qos.DRIVER)
    while not depths.get_subscription_count():
        time.sleep(0.05)
    unknown = rig.of(topics.DETECTIONS, rig.image()).detections
    assert [one.results[0].pose.covariance[0] for one in unknown] == [-1.0, -1.0]
    known = []
    while not known:
        sent = Header(stamp=rig.stamp(), frame_id=CAMERA.frame)
        depths.publish(depth_to_message(np.full((48, 64), 0.6), sent))
        time.sleep(0.2)  # the depth goes first, so that it is there with the image
        header = rig.image()
        found = rig.of(topics.DETECTIONS, header).detections
        known = [one for one in found if one.results[0].pose.covariance[0] >= 0]
    normals = {one.id: one.normal for one in rig.of(topics.NORMALS, header).normals}
    for one in known:
        pose, normal = one.results[0].pose.pose, normals[one.id]
        assert pose.position.z == pytest.approx(0.6, abs=1e-3)
        q = pose.orientation
        z = (2 * (q.x * q.z + q.w * q.y), 2 * (q.y * q.z - q.w * q.x), 1 - 2 * (q.x**2 + q.y**2))
        assert z == pytest.approx((normal.x, normal.y, normal.z), abs=1e-6)


def test_switched_off_the_node_reads_no_images_and_goes_on_when_it_is_switched_on(started):
    rig = started()
    client = ServiceClient(rig.node, SetBool, "/cadsight/perception/enable", timeout_s=40.0)
    assert rig.of(topics.TIMING, rig.image()) is not None
    answers = [client.call(SetBool.Request(data=False)) for _ in range(2)]
    assert [(one.success, one.message) for one in answers] == [
        (True, "switched off"), (True, "was switched off already"),
    ]  # fmt: skip
    assert (statistics(rig)["state"], statistics(rig)["received"]) == ("inactive", "1")
    while rig.listened:
        time.sleep(0.05)
    rig.image()
    assert client.call(SetBool.Request(data=True)).message == "switched on"
    rig.wait_for_listener()
    assert rig.of(topics.TIMING, rig.image()) is not None
    assert (statistics(rig)["state"], statistics(rig)["received"]) == ("looking", "2")


def set_parameter(rig: CameraRig, name: str, value: float) -> SetParametersResult:
    client = ServiceClient(rig.node, SetParameters, "/cadsight/perception/set_parameters", timeout_s=40.0)
    parameters = [Parameter(name, value=value).to_parameter_msg()]
    return client.call(SetParameters.Request(parameters=parameters)).results[0]


def test_the_confidence_is_changed_while_the_node_runs_and_holds_for_models_to_come(started):
    rig = started()
    assert len(rig.of(topics.DETECTIONS, rig.image()).detections) == 2
    assert set_parameter(rig, "confidence", 1.0).successful
    assert rig.of(topics.DETECTIONS, rig.image()).detections == []
    assert load(rig, "other").success
    assert rig.of(topics.DETECTIONS, rig.image()).detections == []
    assert set_parameter(rig, "confidence", 0.0).successful
    assert len(rig.of(topics.DETECTIONS, rig.image()).detections) == 2
    refused = set_parameter(rig, "confidence", 1.5)
    assert not refused.successful
    assert "1.5" in refused.reason
    assert not set_parameter(rig, "max_detections", 3).successful
    assert len(rig.of(topics.DETECTIONS, rig.image()).detections) == 2


def test_fewer_images_than_the_camera_was_asked_for_are_warned_of_once(started, capfd):
    # The rig's stamps are 0.1 s apart.
    rig = started("camera_fps:=15.0", "silence_s:=600.0")
    statuses: list[DiagnosticArray] = []
    rig.node.create_subscription(DiagnosticArray, "/diagnostics", statuses.append, 10)
    for _ in range(8):
        assert rig.of(topics.TIMING, rig.image()) is not None
    sentence = "the camera gives 10.0 images a second for 15 asked"
    while not any(one.message == sentence and one.level == WARN for message in statuses for one in message.status):
        time.sleep(0.1)
    while sentence not in (printed := "".join(capfd.readouterr())):
        time.sleep(0.1)
    assert printed.count(sentence) == 1


def test_models_are_swapped_by_name_while_every_image_is_answered(started):
    rig = started()
    before = rig.image()
    assert rig.of(topics.TIMING, before) is not None
    answers = []
    caller = threading.Thread(target=lambda: answers.append(load(rig, "other", "other_normals")))
    caller.start()
    headers = []
    while caller.is_alive() or len(headers) < 3:
        headers.append(rig.image())
        assert rig.of(topics.TIMING, headers[-1]) is not None
    caller.join()
    assert answers[0].success
    assert answers[0].message == "serves other and other_normals"
    after = rig.image()
    assert rig.of(topics.DETECTIONS, after) is not None
    counted = statistics(rig)
    assert (counted["detector"], counted["regressor"]) == ("other", "other_normals")
    assert (counted["received"], counted["dropped"]) == (str(len(headers) + 2), "0")


def test_no_image_is_lost_to_an_error_while_models_are_loaded_again_and_again(started):
    loads = int(os.environ.get("CADSIGHT_TEST_LOADS", "15"))
    rig = started()
    assert rig.of(topics.TIMING, rig.image()) is not None
    answers = []
    done = threading.Event()

    def load_all() -> None:
        # One model is kept and looks meanwhile; the last of each round asks for what is served already.
        requests = [("other", ""), ("", "other_normals"), ("detector", ""), ("", "normals"), ("detector", "normals")]
        try:
            answers.extend(load(rig, *requests[n % len(requests)]).success for n in range(loads))
        finally:
            done.set()

    caller = threading.Thread(target=load_all)
    began, sent = time.monotonic(), 1
    caller.start()
    while not done.is_set() or sent < 15 * loads:
        rig.image()
        sent += 1
        time.sleep(max(began + sent / 15 - time.monotonic(), 0.0))
    caller.join()
    last = rig.image()
    assert rig.of(topics.TIMING, last) is not None
    assert answers == [True] * loads
    counted = {key: int(value) for key, value in statistics(rig).items() if value.isdigit()}
    assert (counted["errors"], counted["bad_messages"], counted["without_camera"]) == (0, 0, 0)
    assert counted["processed"] + counted["dropped"] == counted["received"]


def test_a_model_that_a_library_chokes_on_is_answered_and_the_old_one_goes_on(started, models, capfd):
    shutil.copytree(models / "normals", models / "odd", dirs_exist_ok=True)
    card = json.loads((models / "odd" / "model.json").read_text())
    (models / "odd" / "model.json").write_text(json.dumps({**card, "extra": {"covariance": "odd"}}))
    rig = started()
    try:
        answer = load(rig, "", "odd")
    finally:
        shutil.rmtree(models / "odd")
    assert not answer.success
    assert "trying detector and odd ended with status 1; its last words: ValueError" in answer.message
    assert answer.message in "".join(capfd.readouterr())
    assert rig.of(topics.NORMALS, rig.image()) is not None
    assert (statistics(rig)["errors"], statistics(rig)["regressor"]) == ("0", "normals")


@pytest.mark.parametrize(
    ("detector", "sentence"),
    [
        ("nowhere", "there is no model 'nowhere' in MODELS, expected one of detector, normals, other, other_normals"),
        ("normals", "expected 'detector'"),
        ("../x", "leads out of the folder MODELS"),
    ],
)
def test_a_model_that_is_not_there_is_refused_and_the_old_one_goes_on(started, models, detector, sentence):
    rig = started()
    answer = load(rig, detector)
    assert not answer.success
    assert sentence.replace("MODELS", str(models)) in answer.message
    assert statistics(rig)["detector"] == "detector"
    assert rig.of(topics.DETECTIONS, rig.image()) is not None


def test_the_fastest_runtime_is_taken_and_exporting_for_it_is_logged_once(started, models, capfd):
    # These models were validated on nothing, so bfloat16 has nothing to agree on.
    fastest = runtime_of("auto", "cpu").removesuffix("-bf16")
    shutil.rmtree(models / "detector" / "exports", ignore_errors=True)
    rig = started()
    assert rig.of(topics.DETECTIONS, rig.image()) is not None
    served = statistics(rig)
    assert (served["detector_runtime"], served["regressor_runtime"]) == (fastest, fastest)
    log = "".join(capfd.readouterr())
    assert log.count("exporting yolo11n to openvino for 64 x 64 pixels, once for these weights") == 1
    assert f"serves detector and normals by {fastest}" in log
    assert (models / "detector" / "exports" / "openvino-64x64" / "export.json").is_file()


def test_an_image_of_another_shape_is_exported_for_while_services_answer(started, models, capfd):
    shutil.rmtree(models / "detector" / "exports" / "openvino-32x64", ignore_errors=True)
    rig = started()
    capfd.readouterr()
    tall = rig.image(width=32, height=96, step=96)
    times = []
    while not rig.received[topics.DETECTIONS] and len(times) < 1000:
        began = time.monotonic()
        assert statistics(rig)["received"] == "1"
        times.append(time.monotonic() - began)
    assert rig.of(topics.DETECTIONS, tall) is not None
    assert len(times) > 1
    assert "exporting yolo11n to openvino for 32 x 64 pixels, once" in "".join(capfd.readouterr())


def test_images_that_come_too_fast_give_way_to_newer_ones_and_are_counted(started):
    rig = started()
    for _ in range(60):
        last = rig.image()
        time.sleep(0.001)
    assert rig.of(topics.TIMING, last) is not None
    counted = {key: int(value) for key, value in statistics(rig).items() if key in ("received", "dropped", "processed")}
    assert counted["dropped"] > 0
    assert counted["received"] == counted["dropped"] + counted["processed"]


def test_images_that_come_while_the_process_stands_still_are_counted_by_the_node_and_not_lost(ros, models):
    ros("-r", "__ns:=/cadsight")
    tester = Node("camera")
    words = [sys.executable, "-m", "cadsight_perception.perception_node", "--ros-args", "-r", "__ns:=/cadsight"]
    for given in (f"models_folder:={models}", "warm_up_width:=64", "warm_up_height:=48"):
        words += ["-p", given]
    with spun(tester), subprocess.Popen(words, env={**os.environ, "ROS_DOMAIN_ID": str(own_domain())}) as node:
        try:
            rig = CameraRig(tester)
            rig.wait_for_listener()
            assert rig.of(topics.TIMING, rig.image()) is not None
            node.send_signal(signal.SIGSTOP)
            os.waitpid(node.pid, os.WUNTRACED)
            last = [rig.image() for _ in range(4)][-1]
            node.send_signal(signal.SIGCONT)
            _, timing = timing_from_message(rig.of(topics.TIMING, last))
            assert timing.received == 5
        finally:
            node.send_signal(signal.SIGCONT)
            node.terminate()
    assert node.returncode == 0


def diagnosed(rig: CameraRig, level: bytes, publish: Callable[[], object]) -> str:
    """The message of the first status of this level, while ``publish`` is called ten times a second."""
    rig.received["/diagnostics"].clear()
    end = time.monotonic() + 40
    while time.monotonic() < end:
        publish()
        time.sleep(0.1)
        for status in (message.status[0] for message in list(rig.received["/diagnostics"])):
            if status.level == level:
                return status.message
    raise AssertionError(f"no status of level {level!r} came")


def test_a_silent_camera_is_a_warning_and_logged_once_until_it_is_back(started, capfd):
    rig = started("silence_s:=1.0")
    rig.listen(DiagnosticArray, "/diagnostics")
    assert diagnosed(rig, OK, rig.image) == "looking"
    text = diagnosed(rig, WARN, lambda: None)
    assert "the camera has been silent for" in text
    assert f"expected images on {topics.IMAGE}" in text
    rig.received["/diagnostics"].clear()
    assert rig.until(lambda: len(rig.received["/diagnostics"]) == 3)
    assert diagnosed(rig, OK, rig.image) == "looking"
    log = "".join(capfd.readouterr())
    assert log.count(f"no image came on {topics.IMAGE} for") == 1
    assert log.count("the camera is back after") == 1


def test_diagnostics_report_refused_images_and_why(started):
    rig = started("silence_s:=1.0")
    rig.listen(DiagnosticArray, "/diagnostics")
    text = diagnosed(rig, ERROR, lambda: rig.image(encoding="rgb7"))
    count, total = (int(word) for word in text.split()[0:3:2])
    assert count == total >= 1
    assert "images of the last 1 s were not processed: " in text
    assert "encoded as 'rgb7'" in text
    alternately = itertools.cycle([{"encoding": "rgb7"}, {}])
    text = diagnosed(rig, WARN, lambda: rig.image(**next(alternately)))
    count, total = (int(word) for word in text.split()[0:3:2])
    assert count < total
    assert diagnosed(rig, OK, rig.image) == "looking"


def test_diagnostics_report_camera_infos_that_are_refused_or_do_not_come(started):
    rig = started("silence_s:=1.0", info=False)
    rig.listen(DiagnosticArray, "/diagnostics")
    text = diagnosed(rig, WARN, rig.image)
    assert f"had no normals: nothing came on {topics.CAMERA_INFO}" in text

    def with_info(camera: Camera) -> None:
        rig.info(camera)
        rig.image()

    large = Camera(ImageSize(1280, 720), 900.0, 900.0, 640.0, 360.0, (), CAMERA.frame)
    end = time.monotonic() + 40
    while "is for 1280 x 720 pixels" not in text and time.monotonic() < end:
        text = diagnosed(rig, WARN, lambda: with_info(large))
    assert "images of the last 1 s had no normals: " in text
    assert "is for 1280 x 720 pixels, expected its image's 64 x 48" in text
    assert diagnosed(rig, OK, lambda: with_info(CAMERA)) == "looking"


def test_weights_replaced_under_the_same_name_are_served_when_the_name_is_loaded(started, models):
    shutil.copytree(models / "normals", models / "renewed", dirs_exist_ok=True)
    rig = started("regressor:=renewed")
    try:
        header = rig.image()
        assert rig.of(topics.NORMALS, header) is not None
        before = statistics(rig)["regressor_version"]
        assert load(rig, "", "renewed").message.endswith("whose files are the same as before")
        for name in ("weights.pt", "model.json"):
            shutil.copyfile(models / "other_normals" / name, models / "renewed" / name)
        assert load(rig, "detector", "").message.endswith("whose files are the same as before")
        assert statistics(rig)["regressor_version"] == before
        assert load(rig, "", "renewed").message == "serves detector and renewed"
        renewed = statistics(rig)["regressor_version"]
        assert load(rig, "", "other_normals").success
        assert statistics(rig)["regressor_version"] == renewed != before
    finally:
        shutil.rmtree(models / "renewed")


def test_the_annotated_image_is_drawn_for_subscribers(started):
    rig = started()
    assert rig.of(topics.DETECTIONS, rig.image()) is not None
    rig.listen(Image, f"{topics.NAMESPACE}/annotated")
    end = time.monotonic() + 40
    while not rig.received[f"{topics.NAMESPACE}/annotated"] and time.monotonic() < end:
        header = rig.image()
        rig.of(topics.DETECTIONS, header)
    annotated = rig.received[f"{topics.NAMESPACE}/annotated"][0]
    assert (annotated.width, annotated.height, annotated.encoding, annotated.header.frame_id) == (
        64,
        48,
        "rgb8",
        CAMERA.frame,
    )


def test_a_manager_decides_when_it_infers(started):
    rig = started("autostart:=false", wait=False)
    rig.listen(DiagnosticArray, "/diagnostics")
    assert rig.until(lambda: bool(rig.received["/diagnostics"]))
    assert rig.received["/diagnostics"][0].status[0].level == STALE
    assert "not configured" in load(rig, "other").message
    change = ServiceClient(rig.node, ChangeState, "/cadsight/perception/change_state", timeout_s=40.0)
    for step in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        assert change.call(ChangeState.Request(transition=Transition(id=step))).success
    rig.wait_for_listener()
    assert rig.of(topics.DETECTIONS, rig.image()) is not None
    assert change.call(ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))).success
    assert change.call(ChangeState.Request(transition=Transition(id=Transition.TRANSITION_ACTIVATE))).success
    rig.wait_for_listener()
    assert rig.of(topics.DETECTIONS, rig.image()) is not None
    assert statistics(rig)["processed"] == "1"


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        ("detector:=nowhere", "there is no model"),
        ("confidence:=2.0", "parameter confidence is 2.0, expected at least 0 and at most 1"),
    ],
)
def test_a_wrong_start_ends_with_one_sentence_and_status_two(models, parameter, sentence):
    words = [sys.executable, "-m", "cadsight_perception.perception_node", "--ros-args"]
    words += ["-p", f"models_folder:={models}", "-p", parameter]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(own_domain())}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("cadsight:")]
    assert sentence in line
    assert "Traceback" not in done.stderr


def test_every_result_names_its_models_and_a_generation_that_grows(started, models):
    rig = started()
    header = rig.image()
    named, normals = rig.of(topics.MODELS, header), rig.of(topics.NORMALS, header)
    assert (named.generation, named.detector, named.regressor) == (1, "detector", "normals")
    assert named.detector_sha256 == version(models / "detector")
    assert named.regressor_sha256 == version(models / "normals")
    assert normals.models == named
    assert load(rig, "other").models.generation == 2
    assert load(rig, "other").models.generation == 2  # nothing changed
    assert rig.of(topics.MODELS, rig.image()).detector_sha256 == version(models / "other")
    assert statistics(rig)["generation"] == "2"


def roll_back(rig: CameraRig) -> Trigger.Response:
    return ServiceClient(rig.node, Trigger, "/cadsight/perception/rollback", timeout_s=40.0).call(Trigger.Request())


def test_the_way_back_is_one_call_and_a_second_one_is_the_way_forth(started):
    rig = started()
    assert rig.of(topics.MODELS, rig.image()) is not None
    refused = roll_back(rig)
    assert (refused.success, refused.message) == (
        False,
        "no other models were served before, expected some to go back to",
    )
    assert load(rig, "other").success
    for generation, detector in ((3, "detector"), (4, "other")):
        answer = roll_back(rig)
        assert (answer.success, answer.message) == (True, f"serves {detector} and normals, as before")
        named = rig.of(topics.MODELS, rig.image())
        assert (named.generation, named.detector) == (generation, detector)


def test_what_the_detector_saw_is_handed_on_where_somebody_listens(started, models):
    rig = started("confidence:=0.5")
    assert rig.of(topics.MODELS, rig.image()) is not None
    rig.listen(SeenImage, topics.SEEN)
    header = None
    end = time.monotonic() + 40
    while not rig.received[topics.SEEN] and time.monotonic() < end:
        header = rig.image()
        rig.of(topics.TIMING, header)
    header = rig.image()
    seen = rig.of(topics.SEEN, header)
    assert (seen.generation, seen.detector_sha256) == (1, version(models / "detector"))
    assert seen.classes == ["bracket", "plate"]
    count = len(seen.boxes) // 4
    assert len(seen.scores) == 2 * count
    assert len(seen.image_features) == 64 + 128
    assert len(seen.features_sha256) == 64
    assert len(seen.object_features) == count * (64 + 128 + 256)
