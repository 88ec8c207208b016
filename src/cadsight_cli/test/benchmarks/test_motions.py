import pytest
from cadsight_cli.benchmarks.motions import MotionsBenchmark
from cadsight_core.errors import ParameterError


def test_every_motion_is_answered_and_none_touches_a_body():
    printed = {}
    found = MotionsBenchmark(count=4, seed=3, fault_fraction=0.5).run(printed.__setitem__)
    assert found == printed
    motions = found["motions"]
    assert (motions["count"], motions["lost"]) == (4, 0)
    ends = {k: v for k, v in motions.items() if k not in ("count", "lost", "seconds", "asked_again")}
    assert sum(ends.values()) == 4
    assert sum(found["faults"].values()) >= 1
    assert found["clearance"]["collisions"] == 0
    assert found["clearance"]["places"] > 20
    assert min(found["memory"].values()) > 10


def test_a_fraction_beyond_one_is_refused():
    with pytest.raises(ParameterError, match="fault_fraction is 2"):
        MotionsBenchmark(fault_fraction=2.0)
