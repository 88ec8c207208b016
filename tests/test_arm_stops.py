"""The arm stops when the node that moves it is told to end, at whatever moment that is.

CADSIGHT_STOP_TRIALS sets how often each moment is tried with each signal.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from cadsight_ros.clients import ActionClient, spinning
from cell_nodes import HELD, Program, another_domain, wait

from cadsight_interfaces.action import MoveToJoints

# A client in a process of its own, which waits for the end of its motion.
CLIENT = """
import sys
import rclpy
from cadsight_interfaces.action import MoveToJoints
from cadsight_ros.clients import ActionClient, spinning

rclpy.init()
node = rclpy.create_node("client")
with spinning(node):
    client = ActionClient(node, MoveToJoints, sys.argv[1], accept_timeout_s=120.0)
    client.send(MoveToJoints.Goal(joint_names=["wrist_3_joint"], positions=[-0.3], velocity_scaling=0.02)).wait()
"""
TRIALS = int(os.environ.get("CADSIGHT_STOP_TRIALS", "1"))
SERVER = Path(__file__).with_name("trajectory_server.py")


class Driver:
    """The trajectory server, what it has written down, and a node that sends goals to motion nodes."""

    def __init__(self, folder: Path, domain: int) -> None:
        self.folder, self.log, self.gate = folder, folder / "events", folder / "gate"
        self.domain = domain
        self.log.touch()
        environment = {**os.environ, "ROS_DOMAIN_ID": str(self.domain)}
        self.process = subprocess.Popen([sys.executable, str(SERVER), str(self.log), str(self.gate)], env=environment)
        self.context = rclpy.Context()
        rclpy.init(args=[], context=self.context, domain_id=self.domain)
        self.node = rclpy.create_node("tester", context=self.context)

    def events(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait_for(self, event: str, since: int, motion: Program | None = None, seconds: float = 120.0) -> None:
        end = time.monotonic() + seconds
        while event not in self.events()[since:]:
            assert self.process.poll() is None, "the driver has ended"
            printed = motion.log.read_text() if motion is not None else ""
            assert time.monotonic() < end, f"{event} did not come: {self.events()[since:]}\n{printed}"
            time.sleep(0.005)

    def end(self) -> None:
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with another_domain() as domain:
        driver = Driver(tmp_path_factory.mktemp("driver"), domain)
        try:
            with spinning(driver.node):
                driver.wait_for("ready", 0)
                yield driver
        finally:
            driver.end()


@pytest.mark.parametrize("trial", range(TRIALS))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("moment", ["asked", "moving 50", "moving 90"])
def test_a_motion_node_that_is_told_to_end_stops_the_arm(driver, tmp_path, moment, number, trial):
    since = len(driver.events())
    driver.gate.unlink(missing_ok=True)
    if moment != "asked":
        driver.gate.write_text(moment.split()[-1])
    name = f"motion_{moment.split()[-1]}_{number}_{trial}"
    motion = Program("cadsight_cell.motion_node", tmp_path / "log", HELD, driver.domain, (f"__node:={name}",))
    try:
        client = ActionClient(driver.node, MoveToJoints, f"/cadsight/{name}/move_to_joints", accept_timeout_s=120.0)
        client.send(MoveToJoints.Goal(joint_names=["wrist_3_joint"], positions=[-0.3], velocity_scaling=0.02))
        driver.wait_for(moment, since, motion)
        begin = time.monotonic()
        motion.process.send_signal(number)
        if moment == "asked":
            driver.gate.write_text("100")
        status = motion.process.wait(60)
        took = time.monotonic() - begin
        driver.wait_for("ended cancelled", since, motion)
    finally:
        motion.kill()
    print(f"{moment} {number}: ended after {took:.2f} s")
    assert status == 0, motion.log.read_text()
    assert "cancel" in driver.events()[since:]
    assert "the arm was stopped" in motion.log.read_text()
    assert "Traceback" not in motion.log.read_text()


def test_a_motion_whose_client_was_killed_is_cancelled(driver, tmp_path):
    since = len(driver.events())
    driver.gate.write_text("50")
    # The middleware takes seconds to give the client up, longer than this short motion may take.
    patient = {**HELD, "stall_s": 600.0}
    motion = Program("cadsight_cell.motion_node", tmp_path / "log", patient, driver.domain, ("__node:=alone",))
    environment = {**os.environ, "ROS_DOMAIN_ID": str(driver.domain)}
    client = subprocess.Popen([sys.executable, "-c", CLIENT, "/cadsight/alone/move_to_joints"], env=environment)
    try:
        driver.wait_for("moving 50", since, motion)
        client.kill()
        driver.wait_for("ended cancelled", since, motion)
        # The driver knows of the end before the node does.
        sentence = "the motion was cancelled and the arm stopped, since its client went away"
        wait(lambda: sentence in motion.log.read_text(), motion)
        assert motion.end() == 0
    finally:
        client.kill()
        client.wait()
        motion.kill()
