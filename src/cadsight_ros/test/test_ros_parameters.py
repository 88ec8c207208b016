import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from typing import Literal

import pytest
from cadsight_core.config.parameters import check, parameter
from cadsight_core.errors import CadsightError
from cadsight_ros.node.parameters import declare
from rcl_interfaces.msg import ParameterType
from rclpy.exceptions import InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_topic_name import validate_topic_name


@dataclass(frozen=True)
class Light:
    gain: float = parameter(1.0, "how bright", minimum=0.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Camera:
    rate: float = parameter(10.0, "images a second", minimum=0.1, maximum=100.0)
    count: int = parameter(3, "how many", minimum=1)
    frame: str = parameter("camera", "whose frame", choices=("camera", "base"))
    mode: Literal["colour", "depth"] = parameter("colour", "what it takes")
    names: tuple[str, ...] = parameter((), "of joints")
    place: tuple[float, ...] = parameter((1.0, 2.0), "metres", minimum=0.0)
    on: bool = parameter(True, "whether it runs")
    light: Light = field(default_factory=Light)

    def __post_init__(self) -> None:
        check(self)


def declared(ros, *arguments: str) -> Camera:
    ros(*(word for argument in arguments for word in ("-p", argument)))
    node = Node("camera")
    try:
        return declare(node, Camera)
    finally:
        node.destroy_node()


def test_without_arguments_every_parameter_has_its_default(ros):
    assert declared(ros) == Camera()


@pytest.mark.parametrize(
    ("argument", "name", "value"),
    [
        ("rate:=20.5", "rate", 20.5),
        ("rate:=20", "rate", 20.0),
        ("count:=7", "count", 7),
        ("frame:=base", "frame", "base"),
        ("mode:=depth", "mode", "depth"),
        ("names:=[a, b]", "names", ("a", "b")),
        ("names:=[]", "names", ()),
        ("place:=[3, 4]", "place", (3.0, 4.0)),
        ("on:=false", "on", False),
        ("light.gain:=2.5", "light", Light(2.5)),
    ],
)
def test_a_value_is_read_with_its_type(ros, argument, name, value):
    read = getattr(declared(ros, argument), name)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("rate:=200.0", "parameter rate is 200.0, expected at least 0.1 and at most 100"),
        ("rate:=.nan", "parameter rate is nan, expected at least 0.1 and at most 100"),
        ("rate:=fast", "parameter rate is 'fast', expected float: images a second"),
        ("count:=0", "parameter count is 0, expected at least 1"),
        ("count:=2.5", "parameter count is 2.5, expected int: how many"),
        ("frame:=tool", "parameter frame is 'tool', expected one of camera, base"),
        ("mode:=heat", "parameter mode is 'heat'"),
        ("place:=[1.0, -2.0]", "parameter place is -2.0, expected at least 0"),
        ("on:=1", "parameter on is 1, expected bool: whether it runs"),
        ("light.gain:=-1.0", "parameter gain is -1.0, expected at least 0"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_was_allowed(ros, argument, sentence):
    with pytest.raises(CadsightError) as refused:
        declared(ros, argument)
    assert sentence in str(refused.value)
    assert "/camera" in str(refused.value)


def test_descriptors_hold_type_range_and_meaning(ros):
    ros()
    node = Node("camera")
    declare(node, Camera)
    rate, count = node.describe_parameters(["rate", "count"])
    assert (rate.type, rate.description, rate.read_only) == (ParameterType.PARAMETER_DOUBLE, "images a second", True)
    assert (rate.floating_point_range[0].from_value, rate.floating_point_range[0].to_value) == (0.1, 100.0)
    assert (count.integer_range[0].from_value, count.integer_range[0].to_value) == (1, 2**63 - 1)
    node.destroy_node()


PROGRAM = """
    import sys
    from dataclasses import dataclass
    from cadsight_core.config.parameters import check, parameter
    from cadsight_ros.node.parameters import declare
    from cadsight_ros.node.running import run
    from rclpy.node import Node

    @dataclass(frozen=True)
    class P:
        rate: float = parameter(1.0, "images a second", minimum=0.1)
        def __post_init__(self): check(self)

    class N(Node):
        def __init__(self):
            super().__init__("n")
            declare(self, P)
            raise KeyboardInterrupt

    sys.exit(run(N))
"""


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["-p", "rate:=2.0"], 0, ""),
        (["-p", "rate:=0.0"], 2, "cadsight: /n: parameter rate is 0.0, expected at least 0.1\n"),
        (["-p", "raet:=2.0"], 2, "cadsight: /n: the parameter raet is none of this node's, expected rate\n"),
        (["--params-file", "nowhere.yaml"], 2, "nowhere.yaml"),
    ],
)
def test_a_program_ends_with_one_sentence_and_status_two(arguments, status, sentence):
    words = [sys.executable, "-c", textwrap.dedent(PROGRAM), "--ros-args", *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status
    ours = [line for line in done.stderr.splitlines(keepends=True) if line.startswith("cadsight:")]
    assert len(ours) == (status != 0)
    assert sentence in "".join(ours)


INTERRUPTED = """
    import atexit, os, signal, sys
    from cadsight_ros.node.running import run
    from rclpy.node import Node

    def interrupt(*_):
        os.kill(os.getpid(), signal.SIGINT)

    class N(Node):
        def __init__(self):
            super().__init__("n")
            self.create_timer(0.05, interrupt)

    atexit.register(lambda: (interrupt(), print("freed")))
    sys.exit(run(N))
"""


def test_a_second_interrupt_breaks_into_nothing_that_is_freed_at_the_end():
    words = [sys.executable, "-c", textwrap.dedent(INTERRUPTED)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "freed\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("raet:=20.0", "/camera: the parameter raet is none of this node's, expected one of rate, frame"),
        ("light.gian:=2.0", "/camera: the parameter light.gian is none of this node's, expected light.gain"),
        ("gain:=2.0", "/camera: the parameter gain is none of this node's, expected light.gain"),
        ("xyz:=1", "expected one of count, frame, light.gain, mode, names, on, place, rate"),
    ],
)
def test_a_misspelt_parameter_is_refused_with_the_nearest_right_names(ros, argument, expected):
    with pytest.raises(CadsightError) as refused:
        declared(ros, argument)
    assert expected in str(refused.value)


def test_a_misspelt_parameter_of_a_file_is_refused_and_another_nodes_is_left_alone(ros, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text("camera: {ros__parameters: {rate: 3.0}}\nother: {ros__parameters: {raet: 3.0}}\n")
    ros("--params-file", str(file))
    node = Node("camera")
    assert declare(node, Camera).rate == 3.0
    node.destroy_node()
    wrong = Node("other")
    with pytest.raises(CadsightError, match="/other: the parameter raet is none of this node's, expected one of rate"):
        declare(wrong, Camera)
    wrong.destroy_node()


def test_a_misspelt_parameter_is_reported_before_what_its_absence_leads_to(ros):
    with pytest.raises(CadsightError, match="the parameter raet"):
        declared(ros, "raet:=20.0", "count:=0")


@pytest.mark.parametrize(
    "argument",
    ["use_sim_time:=true", "start_type_description_service:=false", "qos_overrides./image.publisher.depth:=3"],
)
def test_parameters_that_rclpy_itself_declares_are_allowed(ros, argument):
    assert declared(ros, argument) == Camera()


@dataclass(frozen=True)
class Names:
    topic: str = parameter("a", "read", kind="topic")

    def __post_init__(self) -> None:
        check(self)


@pytest.mark.parametrize(
    "name",
    ["a", "/a", "/a/b_1", "~/a", "_a", "a__b", "", " ", "/", "a b", "/1a", "a/1", "/a/", "a//b", "//a", "a~",
     "/~/a", "a-b", "a?", "a\n", "ä", "{a}"],
)  # fmt: skip
def test_a_topics_name_is_taken_exactly_when_ros_takes_it(name):
    try:
        validate_topic_name(name)
        validate_full_topic_name(expand_topic_name(name, "n", "/ns"))
        good = True
    except (InvalidTopicNameException, ValueError):
        good = False
    if good:
        assert Names(name).topic == name
    else:
        with pytest.raises(CadsightError, match="expected a topic's name"):
            Names(name)
