import time

import pytest
from cadsight_core.errors import CadsightError
from cadsight_ros.clients import ServiceClient, spinning
from cadsight_ros.node.diagnostics import OK, Diagnostics, make_status
from cadsight_ros.node.lifecycle import ManagedNode
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

STEPS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
}


class Worker(ManagedNode):
    def __init__(self, refuses: str = "", error: type[Exception] = CadsightError) -> None:
        super().__init__("worker")
        self.refuses, self.error, self.done = refuses, error, []
        self.words = self.create_lifecycle_publisher(String, "~/words", 1)

    def _do(self, step: str) -> None:
        if step == self.refuses:
            raise self.error(f"no {step} today")
        self.done.append(step)

    def configure(self) -> None:
        self._do("configure")

    def activate(self) -> None:
        self._do("activate")

    def deactivate(self) -> None:
        self._do("deactivate")

    def cleanup(self) -> None:
        self._do("cleanup")


@pytest.fixture
def manager(node):
    def manage(worker: Worker, *steps: str) -> tuple[list[bool], str]:
        change = ServiceClient(node, ChangeState, "/worker/change_state", timeout_s=120.0)
        state = ServiceClient(node, GetState, "/worker/get_state", timeout_s=120.0)
        with spinning(worker):
            answers = [
                change.call(ChangeState.Request(transition=Transition(id=STEPS[step]))).success for step in steps
            ]
            label = state.call(GetState.Request()).current_state.label
        worker.destroy_node()
        return answers, label

    return manage


def test_a_manager_takes_the_node_through_its_steps(manager):
    worker = Worker()
    answers, label = manager(worker, "configure", "activate", "deactivate", "cleanup")
    assert (answers, label) == ([True] * 4, "unconfigured")
    assert worker.done == ["configure", "activate", "deactivate", "cleanup"]


@pytest.mark.parametrize(
    ("refuses", "steps", "label"),
    [
        ("configure", ["configure"], "unconfigured"),
        ("activate", ["configure", "activate"], "inactive"),
        ("deactivate", ["configure", "activate", "deactivate"], "active"),
    ],
)
def test_a_step_that_is_refused_leaves_the_node_where_it_was_and_logs_why(manager, capfd, refuses, steps, label):
    answers, state = manager(Worker(refuses), *steps)
    assert answers == [True] * (len(steps) - 1) + [False]
    assert state == label
    assert f"no {refuses} today" in "".join(capfd.readouterr())


def test_an_unforeseen_error_in_a_step_is_logged_by_its_kind(manager, capfd):
    answers, _ = manager(Worker("configure", KeyError), "configure")
    assert answers == [False]
    assert "configure failed: KeyError" in "".join(capfd.readouterr())


def spun(worker: Worker, until, executor=None) -> None:
    executor = executor or SingleThreadedExecutor()
    executor.add_node(worker)
    end = time.monotonic() + 120
    while not until() and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)


def test_a_node_can_start_itself(ros):
    ros()
    worker = Worker()
    worker.autostart()
    spun(worker, lambda: "activate" in worker.done)
    assert worker.done == ["configure", "activate"]
    assert worker.words.is_activated
    worker.destroy_node()


@pytest.mark.parametrize("executor", [SingleThreadedExecutor, lambda: MultiThreadedExecutor(3)], ids=["one", "three"])
def test_a_node_that_cannot_start_itself_ends_with_the_reason_for_the_program_to_print(ros, capfd, executor):
    ros()
    worker = Worker("configure")
    worker.autostart()
    with pytest.raises(CadsightError, match="no configure today"):
        spun(worker, lambda: False, executor())
    worker.destroy_node()
    assert "no configure today" not in capfd.readouterr().err


def test_diagnostics_report_the_state_of_the_node_periodically(node):
    received: list[DiagnosticArray] = []
    node.create_subscription(DiagnosticArray, "/diagnostics", received.append, 10)
    talker = Node("talker", namespace="cell")
    Diagnostics(talker, lambda: make_status(talker, OK, "looking", {"frames": 3, "ms": 1.23456}), period_s=0.05)
    with spinning(talker):
        end = time.monotonic() + 120
        while len(received) < 3 and time.monotonic() < end:
            time.sleep(0.01)
    talker.destroy_node()
    (status,) = received[2].status
    assert (status.name, status.message, status.level) == ("cell/talker", "looking", OK)
    assert {pair.key: pair.value for pair in status.values} == {"frames": "3", "ms": "1.235"}
    assert received[2].header.stamp.sec > 0
