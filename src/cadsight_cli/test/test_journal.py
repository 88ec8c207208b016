import json

import pytest
from cadsight_cli.demo.journal import Journal
from cadsight_cli.demo.settings import DemoSettings, keep
from cadsight_core.errors import CadsightError


def test_a_finished_step_is_not_done_again_by_the_next_run(tmp_path):
    done = []
    assert Journal(tmp_path / "steps.json").run("a", lambda: done.append("a"))
    again = Journal(tmp_path / "steps.json")
    assert not again.run("a", lambda: done.append("a again"))
    assert again.run("b", lambda: done.append("b"))
    assert done == ["a", "b"]


def test_a_step_that_is_broken_off_is_gone_on_with_and_its_time_adds_up(tmp_path):
    path = tmp_path / "steps.json"

    def interrupted():
        raise KeyboardInterrupt

    path.write_text(json.dumps({"steps": {"a": {"done": False, "seconds": 100.0}}}))
    with pytest.raises(KeyboardInterrupt):
        Journal(path).run("a", interrupted)
    kept = json.loads(path.read_text())["steps"]["a"]
    assert not kept["done"]
    assert 100.0 <= kept["seconds"] < 101.0
    journal = Journal(path)
    assert journal.run("a", lambda: None)
    assert journal.steps["a"].seconds >= 100.0
    assert json.loads(path.read_text())["steps"]["a"]["done"]


def test_a_step_done_anew_counts_its_time_anew(tmp_path):
    path = tmp_path / "steps.json"
    path.write_text(json.dumps({"steps": {"report": {"done": True, "seconds": 100.0}}}))
    journal = Journal(path)
    journal.redo("report")
    assert journal.run("report", lambda: None)
    assert journal.steps["report"].seconds < 1.0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"steps": {"a": {}}}', '{"steps": {"a": {"done": 1, "seconds": "x"}}}']
)
def test_a_journal_that_is_none_is_refused_by_its_name(tmp_path, text):
    (tmp_path / "steps.json").write_text(text)
    with pytest.raises(CadsightError, match=r"steps\.json could not be read"):
        Journal(tmp_path / "steps.json")


def test_a_run_goes_on_with_its_own_settings_alone(tmp_path):
    path = tmp_path / "demo.json"
    keep(DemoSettings(train=10), path)
    keep(DemoSettings(train=10), path)
    with pytest.raises(CadsightError, match="was begun with train 10 and now 200 is asked for"):
        keep(DemoSettings(), path)
