import pytest
import yaml
from cadsight_cli.demo.workcell_file import write_workcell
from cadsight_core.errors import CadsightError

BASE = "cadsight:\n  capture:\n    ros__parameters:\n      home_joints: [0.0, 1.0]\n      part: a.yaml\n"


def test_a_node_gets_its_own_values_and_the_rest_stays(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    out = write_workcell(
        tmp_path / "base.yaml", {"cadsight/capture": {"home_joints": [0.5, 1.0]}}, tmp_path / "new" / "test.yaml"
    )
    section = yaml.safe_load(out.read_text())["cadsight"]["capture"]["ros__parameters"]
    assert section == {"home_joints": [0.5, 1.0], "part": "a.yaml"}
    assert (tmp_path / "base.yaml").read_text() == BASE


@pytest.mark.parametrize("text", ["", "cadsight: {}", "cadsight:\n  capture:\n", "cadsight: 3"])
def test_a_node_that_the_file_does_not_know_is_named(tmp_path, text):
    (tmp_path / "base.yaml").write_text(text)
    with pytest.raises(CadsightError, match="has no parameters of cadsight/capture"):
        write_workcell(tmp_path / "base.yaml", {"cadsight/capture": {"a": 1}}, tmp_path / "test.yaml")
