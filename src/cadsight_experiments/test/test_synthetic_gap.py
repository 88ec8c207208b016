"""On results made by hand, so that every figure is known."""

from dataclasses import replace

import numpy as np
import pytest
from cadsight_experiments.synthetic_gap import kind_of, synthetic_gaps
from made_comparison import IMAGES, REAL, TWIN, comparison, one_set, trial


@pytest.mark.parametrize(
    ("origins", "kind"),
    [
        ({"real": 3}, "real"),
        ({"synthetic": 3}, "synthetic"),
        ({"translated": 3, "synthetic": 1}, "synthetic"),
        ({"real": 3, "synthetic": 0}, "real"),
        ({"real": 1, "synthetic": 9}, "mixed"),
        ({"composed": 9}, "mixed"),
    ],
)
def test_a_set_is_real_synthetic_or_mixed_by_the_origin_of_its_images(origins, kind):
    assert kind_of(one_set("one", origins)) == kind


def test_a_set_that_goes_on_from_a_synthetic_one_is_mixed():
    twin, other = one_set("twin", {"synthetic": 3}), one_set("other", {"real": 3})
    after = one_set("after", {"real": 3}, after="twin")
    assert kind_of(after, [twin, other]) == "mixed"
    assert kind_of(one_set("after", {"real": 3}, after="other"), [twin, other]) == "real"
    assert kind_of(one_set("last", {"real": 1}, after="after"), [twin, other, after]) == "mixed"


def test_the_gap_has_the_interval_of_the_paired_difference():
    answer = synthetic_gaps(comparison(real=REAL, twin=TWIN)).detector
    assert (answer.synthetic.name, answer.real.name) == ("twin", "real")
    # 20 of 80 images are found by the one and not by the other.
    assert answer.gap.value == pytest.approx(0.25)
    error = np.sqrt(0.25 * 0.75 / 80)
    assert (answer.gap.low, answer.gap.high) == pytest.approx((0.25 - 1.96 * error, 0.25 + 1.96 * error), abs=0.02)


def test_how_much_of_the_gap_each_number_of_real_images_closed():
    half = ({"synthetic": 600, "real": 20}, [trial(0, range(0, 14))])
    nearly = ({"synthetic": 600, "real": 60}, [trial(0, range(0, 5))])
    alone = ({"real": 20}, [trial(0, range(0, 19))])
    answer = synthetic_gaps(comparison(real=REAL, nearly=nearly, twin=TWIN, half=half, alone=alone)).detector
    assert [(c.name, c.real, round(c.measured.value, 3)) for c in answer.closed] == [
        ("half", 20, 0.5), ("alone", 20, 0.25), ("nearly", 60, 0.95),
    ]  # fmt: skip
    for one in answer.closed:
        assert one.measured.low < one.measured.value < one.measured.high


def test_networks_are_compared_with_those_of_their_size_alone():
    """As `comillas` gives it: the larger network on synthetic images is better than the smaller one on real ones."""
    nano, large = {"facts": {"size": "nano"}}, {"facts": {"size": "xlarge"}}
    sets = {
        "real-nano": ({"real": 300}, [trial(0, range(16))], nano),
        "twin-nano": ({"synthetic": 600}, [trial(0, range(40))], nano),
        "real-xlarge": ({"real": 300}, [trial(0, range(2))], large),
        "twin-xlarge": ({"synthetic": 600}, [trial(0, range(22))], large),
    }
    answer = synthetic_gaps(comparison(**sets)).detector
    assert (answer.synthetic.name, answer.real.name) == ("twin-xlarge", "real-xlarge")
    assert answer.gap.value == pytest.approx(0.25)
    (other,) = answer.others
    assert (other.synthetic.name, other.real.name) == ("twin-nano", "real-nano")
    assert other.gap.value == pytest.approx(0.3)


def test_of_networks_that_have_not_learned_only_the_gap_is_reported():
    sets = {"real": ({"real": 9}, [trial(0, range(78))]), "twin": ({"synthetic": 9}, [trial(0, range(80))])}
    answer = synthetic_gaps(comparison(**sets)).detector
    assert (answer.unlearned, answer.fails) == (True, None)


def test_regressors_that_are_no_better_than_one_answer_for_all_have_not_learned():
    sets = {
        "real": ({"real": 9}, [trial(0, [], [15.5] * IMAGES)]),
        "twin": ({"synthetic": 9}, [trial(0, [], [90.0] * IMAGES)]),
    }
    answer = synthetic_gaps(comparison(**sets)).normals  # its parts are tilted by 15 degrees in the median
    assert (answer.unlearned, answer.constant_deg) == (True, 15.0)
    sets["real"] = ({"real": 9}, [trial(0, [], [14.5] * IMAGES)])
    answer = synthetic_gaps(comparison(**sets)).normals
    assert not answer.unlearned
    assert answer.gap.value == pytest.approx(75.5)


def test_what_fails_is_reported_with_what_it_shares():
    answer = synthetic_gaps(comparison(small=24, real=REAL, twin=TWIN)).detector
    assert (answer.fails.set_name, answer.fails.labels, answer.fails.failed) == ("twin", 80, 24)
    assert answer.fails.images[:2] == ("t000", "t001")
    (shared,) = answer.fails.shared  # dark and light images fail alike
    assert (shared.name, shared.higher) == ("size", 0)


def test_a_label_that_is_found_with_a_loose_box_fails_as_well():
    loose = trial(0, range(4))
    evaluated = tuple(replace(one, iou=0.6) if 4 <= i < 30 else one for i, one in enumerate(loose.objects))
    sets = {"real": REAL, "twin": ({"synthetic": 600}, [replace(loose, objects=evaluated)])}
    answer = synthetic_gaps(comparison(small=30, **sets)).detector
    assert answer.fails.failed == 30
    assert [s.name for s in answer.fails.shared] == ["size"]


def test_failures_by_chance_share_nothing():
    missed = np.random.default_rng(0).choice(IMAGES, 20, replace=False).tolist()
    answer = synthetic_gaps(comparison(real=REAL, twin=({"synthetic": 9}, [trial(0, missed)]))).detector
    assert answer.fails.shared == ()


def test_a_gap_that_may_be_none_is_not_closed_by_anything():
    twin = ({"synthetic": 600}, [trial(0, [*range(0, 4), 9])])
    sets = {"real": REAL, "twin": twin, "more": ({"synthetic": 5, "real": 5}, [trial(0, [])])}
    answer = synthetic_gaps(comparison(**sets)).detector
    assert answer.gap.low <= 0 < answer.gap.high
    assert answer.closed == ()


def test_the_best_synthetic_set_and_the_largest_real_one_stand_for_theirs():
    worse = ({"synthetic": 900}, [trial(0, range(60))])
    few = ({"real": 10}, [trial(0, range(0, 2))])
    answer = synthetic_gaps(comparison(worse=worse, few=few, real=REAL, twin=TWIN)).detector
    assert (answer.synthetic.name, answer.real.name) == ("twin", "real")


def test_of_normals_a_smaller_error_is_the_better_one():
    rng = np.random.default_rng(0)
    good, bad = rng.uniform(0, 4, IMAGES), np.concatenate([rng.uniform(12, 20, 24), rng.uniform(3, 8, 56)])
    sets = {
        "real": ({"real": 300}, [trial(0, [], good)]),
        "twin": ({"synthetic": 600}, [trial(0, [], bad)]),
        "both": ({"synthetic": 600, "real": 20}, [trial(0, [], (good + bad) / 2)]),
    }
    answer = synthetic_gaps(comparison(small=24, **sets)).normals
    assert answer.gap.value == pytest.approx(np.median(bad) - np.median(good))
    assert answer.gap.low > 0
    assert 0.3 < answer.closed[0].measured.value < 0.7
    assert answer.fails.failed == 24
    assert [s.name for s in answer.fails.shared] == ["size"]
    assert synthetic_gaps(comparison(real=REAL)).normals is None
