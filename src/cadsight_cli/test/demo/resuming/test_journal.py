import json

import pytest
from cadsight_cli.demo.resuming.journal import Journal
from cadsight_core.errors import CadsightError


def test_a_finished_step_is_not_done_again_by_the_next_run(tmp_path):
    done = []
    assert Journal(tmp_path / "steps.json").run("a", lambda anew: done.append("a"))
    again = Journal(tmp_path / "steps.json")
    assert not again.run("a", lambda anew: done.append("a again"))
    assert again.run("b", lambda anew: done.append("b"))
    assert done == ["a", "b"]


def test_a_step_that_is_broken_off_is_gone_on_with_and_its_time_adds_up(tmp_path):
    path = tmp_path / "steps.json"

    def interrupted(anew):
        raise KeyboardInterrupt

    path.write_text(json.dumps({"steps": {"a": {"done": False, "seconds": 100.0}}}))
    with pytest.raises(KeyboardInterrupt):
        Journal(path).run("a", interrupted)
    kept = json.loads(path.read_text())["steps"]["a"]
    assert not kept["done"]
    assert 100.0 <= kept["seconds"] < 101.0
    journal = Journal(path)
    assert journal.run("a", lambda anew: None)
    assert journal.steps["a"].seconds >= 100.0
    assert json.loads(path.read_text())["steps"]["a"]["done"]


def test_a_step_done_anew_counts_its_time_anew(tmp_path):
    path = tmp_path / "steps.json"
    path.write_text(json.dumps({"steps": {"report": {"done": True, "seconds": 100.0}}}))
    journal = Journal(path)
    journal.redo("report")
    assert journal.run("report", lambda anew: None)
    assert journal.steps["report"].seconds < 1.0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"steps": {"a": {}}}', '{"steps": {"a": {"done": 1, "seconds": "x"}}}']
)
def test_a_journal_that_is_none_is_refused_by_its_name(tmp_path, text):
    (tmp_path / "steps.json").write_text(text)
    with pytest.raises(CadsightError, match=r"steps\.json could not be read"):
        Journal(tmp_path / "steps.json")


def test_a_step_done_again_is_made_beside_its_older_result_until_it_is_done(tmp_path):
    calls = []

    def interrupted(anew):
        calls.append(anew)
        raise KeyboardInterrupt

    journal = Journal(tmp_path / "steps.json")
    journal.run("a", calls.append, {"epochs": 3})
    journal.redo("a", anew=True)
    with pytest.raises(KeyboardInterrupt):
        journal.run("a", interrupted, {"epochs": 4})
    again = Journal(tmp_path / "steps.json")
    assert again.steps["a"].inputs == {"epochs": 4}
    again.run("a", calls.append, {"epochs": 4})
    assert calls == [False, True, True]
    assert not again.steps["a"].anew


def test_what_a_step_is_done_with_is_known_before_it_ends(tmp_path):
    path = tmp_path / "steps.json"
    seen = []
    Journal(path).run("a", lambda anew: seen.append(Journal(path).steps["a"]), {"epochs": 3})
    assert not seen[0].done
    assert seen[0].inputs == {"epochs": 3}
