import pytest
from cadsight_report.targets import Target, find, judge


@pytest.mark.parametrize(
    ("key", "value"),
    [("labels.rejected", 3), ("labels.missing", None), ("labels.rejected.deeper", None), ("nothing.at.all", None)],
)
def test_a_dotted_path_finds_a_value_or_none(key, value):
    assert find({"labels": {"rejected": 3}}, key) == value


@pytest.mark.parametrize(
    ("relation", "limit", "value", "met"),
    [
        ("at least", 0.95, 0.95, True),
        ("at least", 0.95, 0.9499999, False),
        ("at most", 6.0, 6.0, True),
        ("at most", 6.0, 6.0000001, False),
        ("at most", 0, 1, False),
        ("is", True, True, True),
        ("is", True, False, False),
        ("at least", 0.95, None, None),
    ],
)
def test_a_target_is_met_by_the_unrounded_value(relation, limit, value, met):
    target = Target("a.b", "something", relation, limit)
    (verdict,) = judge({"a": {"b": value}}, (target,))
    assert verdict.met is met
    assert verdict.to_json()["value"] == value


@pytest.mark.parametrize(("counted", "met"), [({"seen": 0}, None), ({"seen": 3}, True), ({}, True)])
def test_a_target_that_holds_for_nothing_was_not_measured(counted, met):
    target = Target("a.wrong", "something", "at most", 0, of="a.seen")
    (verdict,) = judge({"a": {"wrong": 0, **counted}}, (target,))
    assert verdict.met is met
    assert (verdict.value is None) is (met is None)
