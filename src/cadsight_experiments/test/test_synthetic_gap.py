"""On results made by hand: who is found in which trial is chosen, so that every figure is known."""

import json

import numpy as np
import pytest
from cadsight_experiments.synthetic_gap import kind_of, worth

PICTURES = 80
PERFECT = "1" * 10


def objects(small: int = 0):
    """One label a picture; the first ``small`` are small ones and dark ones alternate."""
    return [
        {
            "picture": f"t{i:03d}", "class": "bracket", "size": 0.2 + 0.001 * i - 0.15 * (i < small),
            "visible": None, "brightness": 0.3 if i % 2 else 0.6, "contrast": 0.1, "tilt_deg": 10.0 + i % 11,
            "at_border": 0.0,
        }
        for i in range(PICTURES)
    ]  # fmt: skip


def trial(seed, missed, angle=None):
    """A trial that finds everything exactly but the ``missed``; its mAP is the share found, but for 101 points."""
    found = [i not in missed for i in range(PICTURES)]
    judged = [{"found": f, "iou": float(f), "score": 0.9 if f else None} for f in found]
    if angle is not None:
        judged = [{**j, "angle_deg": a} for j, a in zip(judged, angle, strict=True)]
    return {
        "seed": seed,
        "figures": {"map50_95": np.mean(found)} | ({} if angle is None else {"median_deg": float(np.median(angle))}),
        "intervals": {},
        "matches": {
            "labels": [[1]] * PICTURES,
            "detections": [[i, 0, 0.9, PERFECT] for i in range(PICTURES) if found[i]],
        },
        "objects": judged,
    }


def comparison(small=0, **sets):
    """Sets by name: their origins and trials, and what else is told of them."""
    found = [
        {"name": name, "pictures": sum(origins.values()), "origins": origins, "trials": trials, **dict(*others)}
        for name, (origins, trials, *others) in sets.items()
    ]
    made = {"test_pictures": PICTURES, "objects": objects(small), "sets": found}
    return json.loads(json.dumps(made))


REAL = ({"real": 300}, [trial(s, range(0, 4)) for s in range(3)])
TWIN = ({"synthetic": 600}, [trial(s, range(0, 24)) for s in range(3)])


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
def test_a_set_is_real_synthetic_or_mixed_by_the_origin_of_its_pictures(origins, kind):
    assert kind_of({"origins": origins}) == kind


def test_a_set_that_goes_on_from_a_synthetic_one_is_mixed():
    twin, other = {"name": "twin", "origins": {"synthetic": 3}}, {"name": "other", "origins": {"real": 3}}
    after = {"name": "after", "origins": {"real": 3}, "after": "twin"}
    assert kind_of(after, [twin, other]) == "mixed"
    assert kind_of({**after, "after": "other"}, [twin, other]) == "real"
    assert kind_of({"name": "last", "origins": {"real": 1}, "after": "after"}, [twin, other, after]) == "mixed"


def test_the_gap_has_the_interval_of_the_paired_difference():
    answer = worth(comparison(real=REAL, twin=TWIN))["detector"]
    assert (answer["synthetic"], answer["real"]) == ("twin", "real")
    # 20 of 80 pictures are found by the one and not by the other.
    assert answer["gap"]["value"] == pytest.approx(0.25)
    error = np.sqrt(0.25 * 0.75 / 80)
    assert (answer["gap"]["low"], answer["gap"]["high"]) == pytest.approx(
        (0.25 - 1.96 * error, 0.25 + 1.96 * error), abs=0.02
    )
    assert "a gap of 0.250" in answer["sentences"][0]


def test_how_much_of_the_gap_each_number_of_real_pictures_closed():
    half = ({"synthetic": 600, "real": 20}, [trial(0, range(0, 14))])
    nearly = ({"synthetic": 600, "real": 60}, [trial(0, range(0, 5))])
    alone = ({"real": 20}, [trial(0, range(0, 19))])
    answer = worth(comparison(real=REAL, nearly=nearly, twin=TWIN, half=half, alone=alone))["detector"]
    assert [(c["name"], c["real"], round(c["value"], 3)) for c in answer["closed"]] == [
        ("half", 20, 0.5), ("alone", 20, 0.25), ("nearly", 60, 0.95),
    ]  # fmt: skip
    for one in answer["closed"]:
        assert one["low"] < one["value"] < one["high"]
    text = " ".join(answer["sentences"])
    assert "With 20 real pictures among them (half) 50 % of it is closed" in text
    assert "The same 20 real pictures without the synthetic ones (alone) reach 25 % of the way." in text
    assert "Next: 60 real pictures are enough" in text


def test_the_numbers_of_real_pictures_that_closed_the_gap_are_read_off_a_grid():
    """As `morato` gives it: 0, 150 or 500 pictures from CAD by 0, 5, 10 or 20 real ones."""
    missed = {
        (0, 5): 40, (0, 10): 30, (0, 20): 4,
        (150, 0): 34, (150, 5): 22, (150, 10): 19, (150, 20): 7,
        (500, 0): 24, (500, 5): 21, (500, 10): 14, (500, 20): 5,
    }  # fmt: skip
    sets = {
        f"cad{cad}-real{real}": ({"synthetic": cad, "real": real}, [trial(0, range(count))])
        for (cad, real), count in missed.items()
    }
    answer = worth(comparison(**sets))["detector"]
    assert (answer["synthetic"], answer["real"]) == ("cad500-real0", "cad0-real20")
    text = " ".join(answer["sentences"])
    # Of 20 pictures that lie between both ends 3, 10 and 19 are found with the better number of pictures from CAD.
    for told in ("5 real pictures among them (cad500-real5) 15 %", "10 real pictures among them (cad500-real10) 50 %",
                 "20 real pictures among them (cad500-real20) 95 %"):  # fmt: skip
        assert told in text
    assert (
        "Closing half of the gap takes 10 real pictures (cad500-real10), closing nine tenths 20 real pictures" in text
    )
    assert "(cad150-real10)" not in text
    assert "Of the synthetic sets cad500-real0 is the best: others reach 0.575 (cad150-real0)." in text
    assert (
        "The same 5 real pictures without the synthetic ones (cad0-real5) reach less than the synthetic ones." in text
    )
    assert "Next: compare with fewer than these 20 real pictures" in text


def test_real_pictures_learned_from_after_synthetic_ones_close_the_gap_as_those_among_them_do():
    """As `transfer` gives it."""
    fewer, after = [trial(0, range(14))], [trial(0, range(6))]
    sets = {"fewer": ({"real": 300}, fewer), "then": ({"real": 300}, after, {"after": "twin"})}
    text = " ".join(worth(comparison(twin=TWIN, real=REAL, **sets))["detector"]["sentences"])
    assert "With 300 real pictures after them (then) 90 % of it is closed" in text
    assert "The same 300 real pictures without the synthetic ones (fewer) reach 50 % of the way." in text
    assert "Next: compare with fewer than these 300 real pictures, to see how many the synthetic ones save" in text


def test_networks_are_compared_with_those_of_their_size_alone():
    """As `comillas` gives it: the larger network on synthetic pictures is better than the smaller one on real ones."""
    nano, large = {"facts": {"size": "nano"}}, {"facts": {"size": "xlarge"}}
    sets = {
        "real-nano": ({"real": 300}, [trial(0, range(16))], nano),
        "twin-nano": ({"synthetic": 600}, [trial(0, range(40))], nano),
        "real-xlarge": ({"real": 300}, [trial(0, range(2))], large),
        "twin-xlarge": ({"synthetic": 600}, [trial(0, range(22))], large),
    }
    answer = worth(comparison(**sets))["detector"]
    assert (answer["synthetic"], answer["real"]) == ("twin-xlarge", "real-xlarge")
    assert answer["gap"]["value"] == pytest.approx(0.25)
    first, *_, last, after = answer["sentences"]
    assert after.startswith("Next: ")
    assert "a gap of 0.250" in first
    assert "Synthetic pictures alone (twin-nano)" in last
    assert "a gap of 0.300" in last


def test_of_networks_that_have_not_learned_nothing_is_said():
    sets = {"real": ({"real": 9}, [trial(0, range(78))]), "twin": ({"synthetic": 9}, [trial(0, range(80))])}
    answer = worth(comparison(**sets))["detector"]
    assert len(answer["sentences"]) == 2
    assert "neither has learned yet to find the part" in answer["sentences"][0]
    assert "train for more epochs" in answer["sentences"][1]


def test_regressors_that_are_no_better_than_one_answer_for_all_have_not_learned():
    sets = {
        "real": ({"real": 9}, [trial(0, [], [15.5] * PICTURES)]),
        "twin": ({"synthetic": 9}, [trial(0, [], [90.0] * PICTURES)]),
    }
    answer = worth(comparison(**sets))["normals"]  # its parts are tilted by 15 degrees in the median
    assert len(answer["sentences"]) == 2
    assert "than to answer each time that the surface faces the camera (15.00 degrees)" in answer["sentences"][0]
    sets["real"] = ({"real": 9}, [trial(0, [], [14.5] * PICTURES)])
    assert "a gap of 75.50 degrees" in worth(comparison(**sets))["normals"]["sentences"][0]


def test_where_everything_fails_there_are_no_others_to_differ_from():
    answer = worth(comparison(real=REAL, twin=({"synthetic": 9}, [trial(0, range(79))])))["detector"]
    assert "79 of 80 labels are missed" in " ".join(answer["sentences"])
    assert "too few others are left to say what the failing ones share" in " ".join(answer["sentences"])


def test_what_fails_is_said_by_what_it_shares_and_asked_for_next():
    answer = worth(comparison(small=24, real=REAL, twin=TWIN))["detector"]
    assert (answer["fails"]["set"], answer["fails"]["labels"], answer["fails"]["failed"]) == ("twin", 80, 24)
    assert answer["fails"]["pictures"][:2] == ["t000", "t001"]
    (shared,) = answer["fails"]["shared"]  # dark and light pictures fail alike
    assert (shared["property"], shared["higher"]) == ("size", 0)
    text = " ".join(answer["sentences"])
    assert (
        "24 of 80 labels are missed or boxed with an IoU under 0.75; than the others these are smaller (box's size"
        in text
    )
    assert "Next: take some 20 real pictures, first of all from farther away, add them to twin" in text


def test_a_label_that_is_found_with_a_loose_box_fails_as_well():
    loose = trial(0, range(4))
    for judged in loose["objects"][4:30]:
        judged["iou"] = 0.6
    answer = worth(comparison(small=30, real=REAL, twin=({"synthetic": 600}, [loose])))["detector"]
    assert answer["fails"]["failed"] == 30
    assert [s["property"] for s in answer["fails"]["shared"]] == ["size"]


def test_failures_by_chance_share_nothing():
    missed = np.random.default_rng(0).choice(PICTURES, 20, replace=False).tolist()
    answer = worth(comparison(real=REAL, twin=({"synthetic": 9}, [trial(0, missed)])))["detector"]
    assert answer["fails"]["shared"] == []
    assert "do not differ from the others by more than chance" in " ".join(answer["sentences"])


def test_a_gap_that_may_be_none_is_said_to_be_unknown():
    twin = ({"synthetic": 600}, [trial(0, [*range(0, 4), 9])])
    answer = worth(comparison(real=REAL, twin=twin, more=({"synthetic": 5, "real": 5}, [trial(0, [])])))["detector"]
    assert answer["gap"]["low"] <= 0 < answer["gap"]["high"]
    assert answer["closed"] == []
    text = " ".join(answer["sentences"])
    assert "cannot tell them apart" in text
    assert "Sets of both kinds reach 1.000 (more)." in text
    assert "take more test pictures" in text


def test_synthetic_pictures_that_are_better_need_no_real_ones():
    twin = ({"synthetic": 600}, [trial(0, [])])
    answer = worth(comparison(real=({"real": 9}, [trial(0, range(30))]), twin=twin))["detector"]
    assert answer["gap"]["high"] < 0
    text = " ".join(answer["sentences"])
    assert "the synthetic ones are better by 0.375" in text
    assert "there is nothing that failing pictures could share" in text
    assert "real pictures would not help" in text


def test_the_best_synthetic_set_and_the_largest_real_one_stand_for_theirs():
    worse = ({"synthetic": 900}, [trial(0, range(60))])
    few = ({"real": 10}, [trial(0, range(0, 2))])
    answer = worth(comparison(worse=worse, few=few, real=REAL, twin=TWIN))["detector"]
    assert (answer["synthetic"], answer["real"]) == ("twin", "real")


@pytest.mark.parametrize(("sets", "lacks"), [({"real": REAL}, "only synthetic"), ({"twin": TWIN}, "only real")])
def test_without_one_of_the_two_there_is_no_gap(sets, lacks):
    answer = worth(comparison(**sets))["detector"]
    assert answer["gap"] is None
    assert lacks in answer["sentences"][0]
    assert f"{answer['fails']['failed']} of 80 labels are missed" in answer["sentences"][1]


def test_of_normals_a_smaller_error_is_the_better_one():
    rng = np.random.default_rng(0)
    good, bad = rng.uniform(0, 4, PICTURES), np.concatenate([rng.uniform(12, 20, 24), rng.uniform(3, 8, 56)])
    sets = {
        "real": ({"real": 300}, [trial(0, [], good)]),
        "twin": ({"synthetic": 600}, [trial(0, [], bad)]),
        "both": ({"synthetic": 600, "real": 20}, [trial(0, [], (good + bad) / 2)]),
    }
    answer = worth(comparison(small=24, **sets))["normals"]
    assert answer["gap"]["value"] == pytest.approx(np.median(bad) - np.median(good))
    assert answer["gap"]["low"] > 0
    assert 0.3 < answer["closed"][0]["value"] < 0.7
    assert answer["fails"]["failed"] == 24
    assert [s["property"] for s in answer["fails"]["shared"]] == ["size"]
    assert "off by more than 10 degrees" in " ".join(answer["sentences"])
    assert worth(comparison(real=REAL))["normals"] is None
