"""What a user is told of a session that the capture node refuses; no cell is needed for a refusal."""

import subprocess
import sys

import pytest
from cadsight_capture.client import CaptureClient
from cadsight_capture.session import SessionPlan
from cadsight_cli.demo.steps.capture import cell_client
from cadsight_core.config.yaml_file import dump_yaml, read_yaml
from cadsight_core.errors import CadsightError
from cadsight_ros.domains import own_domain
from cadsight_ros.node.programs import temporary_node
from cell_nodes import HELD, ROOT, Program

BEGUN, OTHER = SessionPlan("bracket", "train", 3, seed=1), SessionPlan("bracket", "train", 3, seed=2)
REASON = "was begun with seed 1 and 2 came, expected the same to continue it or another folder"


def test_a_part_without_a_colour_is_refused_before_anything_moves(tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", str(own_domain()))
    original = ROOT / "config" / "parts" / "bracket.yaml"
    part = read_yaml(original)
    mesh = str(original.parent / part["mesh"])
    (tmp_path / "bracket.yaml").write_text(dump_yaml({**part, "mesh": mesh, "colour": []}))
    parameters = {**HELD, "part": str(tmp_path / "bracket.yaml"), "output_folder": str(tmp_path / "sessions")}
    program = Program("cadsight_capture.capture_node", tmp_path / "capture.log", parameters, own_domain())
    try:
        with cell_client([]) as client, pytest.raises(CadsightError, match="the part bracket has no colour"):
            client.capture("bracket", BEGUN)
        assert not (tmp_path / "sessions").exists()
    finally:
        assert program.end() == 0, program.log.read_text()


@pytest.fixture
def sessions(tmp_path, monkeypatch):
    """The folder of a capture node, with a session of seed 1 that was begun in it."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(own_domain()))
    folder = tmp_path / "sessions"
    parameters = {**HELD, "output_folder": str(folder)}
    program = Program("cadsight_capture.capture_node", tmp_path / "capture.log", parameters, own_domain())
    try:
        with temporary_node("tester") as node:
            CaptureClient(node, start_timeout_s=180.0).start("bracket", BEGUN).cancel(timeout_s=180.0)
        assert (folder / "bracket" / "session.json").is_file()
        yield folder
    finally:
        assert program.end() == 0, program.log.read_text()


def test_a_folder_that_holds_another_seed_is_refused_with_the_nodes_own_reason(sessions):
    words = [sys.executable, "-m", "cadsight_cli", "capture", "bracket", "--seed", "2", "--count", "3"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("cadsight: ")]
    expected = f"the session bracket was not captured: the session in {sessions / 'bracket'} {REASON}"
    assert (done.returncode, sentence) == (2, f"cadsight: {expected}")
    with cell_client([]) as client, pytest.raises(CadsightError) as refused:
        client.capture("bracket", OTHER)
    assert str(refused.value) == expected
