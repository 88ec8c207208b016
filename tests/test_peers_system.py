"""Two cells, or two motion nodes, in one ROS domain: each says so, and no arm moves until one of them is gone."""

import time

import pytest
import rclpy
from cadsight_cell.arm import JOINT_NAMES
from cadsight_ros.clients import ActionClient, spinning
from cadsight_ros.node.peers import publishers, servers
from cell_nodes import HELD, Cell, Program, another_domain, wait

from cadsight_interfaces.action import MoveToJoints

MOTION = "/cadsight/motion/move_to_joints"
CONTROLLER = "/scaled_joint_trajectory_controller/follow_joint_trajectory"
HOME = [-0.4219, -1.2263, 2.1745, -2.5190, 1.5708, -1.1489]
CELL, MOVER = "cadsight_cell.simulated_cell_node", "cadsight_cell.motion_node"
SMALL = {**HELD, "width": 64, "height": 48, "fps": 1.0, "home_joints": HOME}


@pytest.fixture
def domain(tmp_path):
    """A tester, and how a program is started beside it; all of them must end well."""
    with another_domain() as number:
        context = rclpy.Context()
        rclpy.init(args=[], context=context, domain_id=number)
        tester = rclpy.create_node("tester", context=context)
        programs: list[Program] = []

        def start(module: str, parameters: dict) -> Program:
            programs.append(Program(module, tmp_path / f"{len(programs)}.log", parameters, number))
            return programs[-1]

        try:
            with spinning(tester):
                yield tester, start
        finally:
            tester.destroy_node()
            rclpy.try_shutdown(context=context)
            statuses = [program.end() for program in programs]
        assert set(statuses) == {0}, "\n".join(program.log.read_text() for program in programs)


def moved(client: ActionClient, turn: float) -> MoveToJoints.Result:
    return client.send(Cell.goal({JOINT_NAMES[5]: HOME[5] + turn})).wait(60)[1]


def test_two_motion_nodes_refuse_motions_until_one_is_gone(domain):
    tester, start = domain
    cell, first = start(CELL, SMALL), start(MOVER, HELD)
    client: ActionClient = ActionClient(tester, MoveToJoints, MOTION, accept_timeout_s=60.0)
    wait(lambda: bool(publishers(tester, "/joint_states") and client.is_there), cell, first)
    assert moved(client, 0.2).success

    second = start(MOVER, HELD)
    sentence = f"{MOTION} is served by /cadsight/motion too, expected this node alone"
    wait(lambda: all(sentence in p.log.read_text() for p in (first, second)), cell, first, second)
    # The tester may see the second a moment later than the first does.
    wait(lambda: servers(tester, MOTION) == ["/cadsight/motion"] * 2, cell, first, second)
    result = moved(client, 0.4)
    assert (result.success, result.reason) == (False, "not_ready")
    assert sentence in result.message

    assert second.end() == 0
    wait(lambda: servers(tester, MOTION) == ["/cadsight/motion"], cell, first)
    # The first may see the second for a moment more than the tester does.
    end = time.monotonic() + 30
    while not (result := moved(client, 0.4)).success:
        assert sentence in result.message
        assert time.monotonic() < end
    assert first.log.read_text().count(sentence) <= 3


def test_two_cells_are_told_by_each_and_neither_arm_is_moved(domain):
    tester, start = domain
    cells = [start(CELL, SMALL), start(CELL, {**SMALL, "controller": "other_controller"})]
    mover = start(MOVER, HELD)
    client: ActionClient = ActionClient(tester, MoveToJoints, MOTION, accept_timeout_s=60.0)
    sentence = "/joint_states is published by /simulated_cell too, expected this node alone"
    wait(lambda: all(sentence in cell.log.read_text() for cell in cells), *cells, mover)
    mixed = "/joint_states is published 2 times, by /simulated_cell, /simulated_cell, expected one node"
    wait(lambda: mixed in mover.log.read_text(), *cells, mover)
    result = moved(client, 0.2)
    assert (result.success, result.reason) == (False, "not_ready")
    assert mixed in result.message
