"""Waiting for a perception node that runs in a process of its own, by its status."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cadsight_core.errors import CadsightError
from cadsight_perception.health.presence import wait_for_perception, wait_for_result
from cadsight_perception.health.states import EXPORTING, INFERRING, LOADING, NodeStatus, node_status
from cadsight_ros.clients import ServiceClient, spinning
from cadsight_ros.domains import own_domain
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.node import Node


@pytest.fixture
def listener(ros):
    ros()
    node = Node("listener")
    with spinning(node):
        yield node
    node.destroy_node()


@contextlib.contextmanager
def perception(models, *parameters):
    words = [sys.executable, "-m", "cadsight_perception.perception_node", "--ros-args", "-r", "__ns:=/cadsight"]
    given = [f"models_folder:={models}", "warm_up_width:=64", "warm_up_height:=48", *parameters]
    process = subprocess.Popen(
        [*words, *(word for p in given for word in ("-p", p))],
        env={**os.environ, "ROS_DOMAIN_ID": str(own_domain())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_node_reports_that_it_loads_and_exports_until_it_infers_and_is_missed_when_it_is_killed(listener, models):
    shutil.rmtree(models / "detector" / "exports", ignore_errors=True)
    statuses: list[NodeStatus] = []
    heard = threading.Event()

    def keep(message: DiagnosticArray) -> None:
        statuses.extend(one for status in message.status if (one := node_status(status)))
        heard.set()

    listener.create_subscription(DiagnosticArray, "/diagnostics", keep, 100)
    sentences: list[str] = []
    with perception(models, "autostart:=false") as process:
        # It is asked to load once it is heard: what it reports before the two have found each other is lost.
        assert heard.wait(60.0)
        with ThreadPoolExecutor(1) as loading:
            answer = loading.submit(loaded_and_activated, listener)
            wait_for_perception(listener, 30.0, sentences.append)
            assert answer.result()
        for state, words in ((EXPORTING, "step 2 of 3: comparing it with torch's"), (LOADING, "loading the regressor")):
            assert any(one.state == state and words in one.sentence for one in statuses), words
        assert any("step" in sentence for sentence in sentences)
        states = [one.state for one in statuses]
        assert INFERRING not in states[: max(states.index(state) for state in (LOADING, EXPORTING))]

        def kill(_: str) -> None:
            process.send_signal(signal.SIGKILL)

        with pytest.raises(CadsightError, match="/cadsight/perception is gone, expected it to stay"):
            wait_for_result(listener, 60.0, kill)


def loaded_and_activated(listener: Node) -> bool:
    change = ServiceClient(listener, ChangeState, "/cadsight/perception/change_state", timeout_s=60.0)
    steps = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
    return all(change.call(ChangeState.Request(transition=Transition(id=step))).success for step in steps)


def test_a_node_that_fails_ends_the_waiting_with_its_reason(listener, models):
    # Left to itself it ends so soon that nobody else has heard of it; its own last words say why.
    with perception(models, "detector:=nowhere", "autostart:=false"):
        change = ServiceClient(listener, ChangeState, "/cadsight/perception/change_state", timeout_s=40.0)
        configure = Transition(id=Transition.TRANSITION_CONFIGURE)
        assert not change.call(ChangeState.Request(transition=configure)).success
        with pytest.raises(CadsightError, match="/cadsight/perception failed: there is no model 'nowhere'"):
            wait_for_perception(listener, 60.0)


def test_a_node_that_is_left_inactive_is_waited_for_no_longer_than_the_timeout(listener, models):
    reported = threading.Event()
    listener.create_subscription(DiagnosticArray, "/diagnostics", lambda _: reported.set(), 10)
    late = r"no perception node was active for 3 s, .*; its last status was: not active"
    with perception(models, "autostart:=false"):
        assert reported.wait(60.0)
        with pytest.raises(CadsightError, match=late):
            wait_for_perception(listener, 3.0)
