"""The paragraph on results made by hand, so that every figure in it is known."""

import numpy as np
import pytest
from cadsight_experiments.synthetic_gap import synthetic_gaps
from cadsight_learning.evaluation.label_properties import PROPERTIES
from cadsight_report.side_by_side import gap_sentences as words
from cadsight_report.side_by_side.gap_sentences import gap_sentences
from made_comparison import IMAGES, REAL, TWIN, comparison, trial


def paragraph(small=0, **sets):
    """The paragraph on detectors."""
    return gap_sentences(synthetic_gaps(comparison(small, **sets)).detector)


def test_every_property_has_its_words():
    assert tuple(words._PROPERTIES) == PROPERTIES


def test_the_gap_comes_first():
    assert "a gap of 0.250" in paragraph(real=REAL, twin=TWIN)[0]


def test_how_much_of_the_gap_each_number_of_real_images_closed():
    half = ({"synthetic": 600, "real": 20}, [trial(0, range(0, 14))])
    nearly = ({"synthetic": 600, "real": 60}, [trial(0, range(0, 5))])
    alone = ({"real": 20}, [trial(0, range(0, 19))])
    text = " ".join(paragraph(real=REAL, nearly=nearly, twin=TWIN, half=half, alone=alone))
    assert "With 20 real images among them (half) 50 % of it is closed" in text
    assert "The same 20 real images without the synthetic ones (alone) reach 25 % of the way." in text
    assert "Next: 60 real images are enough" in text


def test_the_numbers_of_real_images_that_closed_the_gap_are_read_off_a_grid():
    """As `morato` gives it: 0, 150 or 500 images from CAD by 0, 5, 10 or 20 real ones."""
    missed = {
        (0, 5): 40, (0, 10): 30, (0, 20): 4,
        (150, 0): 34, (150, 5): 22, (150, 10): 19, (150, 20): 7,
        (500, 0): 24, (500, 5): 21, (500, 10): 14, (500, 20): 5,
    }  # fmt: skip
    sets = {
        f"cad{cad}-real{real}": ({"synthetic": cad, "real": real}, [trial(0, range(count))])
        for (cad, real), count in missed.items()
    }
    text = " ".join(paragraph(**sets))
    assert "Synthetic images alone (cad500-real0) reach" in text
    assert "20 real ones (cad0-real20)" in text
    # Of 20 images that lie between both ends 3, 10 and 19 are found with the better number of images from CAD.
    for phrase in ("5 real images among them (cad500-real5) 15 %", "10 real images among them (cad500-real10) 50 %",
                 "20 real images among them (cad500-real20) 95 %"):  # fmt: skip
        assert phrase in text
    assert "Closing half of the gap takes 10 real images (cad500-real10), closing nine tenths 20 real images" in text
    assert "(cad150-real10)" not in text
    assert "Of the synthetic sets cad500-real0 is the best: others reach 0.575 (cad150-real0)." in text
    assert "The same 5 real images without the synthetic ones (cad0-real5) reach less than the synthetic ones." in text
    assert "Next: compare with fewer than these 20 real images" in text


def test_real_images_learned_from_after_synthetic_ones_close_the_gap_as_those_among_them_do():
    """As `transfer` gives it."""
    fewer, after = [trial(0, range(14))], [trial(0, range(6))]
    sets = {"fewer": ({"real": 300}, fewer), "then": ({"real": 300}, after, {"after": "twin"})}
    text = " ".join(paragraph(twin=TWIN, real=REAL, **sets))
    assert "With 300 real images after them (then) 90 % of it is closed" in text
    assert "The same 300 real images without the synthetic ones (fewer) reach 50 % of the way." in text
    assert "Next: compare with fewer than these 300 real images, to see how many the synthetic ones save" in text


def test_networks_of_other_sizes_come_before_what_is_next():
    nano, large = {"facts": {"size": "nano"}}, {"facts": {"size": "xlarge"}}
    sets = {
        "real-nano": ({"real": 300}, [trial(0, range(16))], nano),
        "twin-nano": ({"synthetic": 600}, [trial(0, range(40))], nano),
        "real-xlarge": ({"real": 300}, [trial(0, range(2))], large),
        "twin-xlarge": ({"synthetic": 600}, [trial(0, range(22))], large),
    }
    first, *_, last, after = paragraph(**sets)
    assert after.startswith("Next: ")
    assert "a gap of 0.250" in first
    assert "Synthetic images alone (twin-nano)" in last
    assert "a gap of 0.300" in last


def test_of_networks_that_have_not_learned_nothing_is_concluded():
    sets = {"real": ({"real": 9}, [trial(0, range(78))]), "twin": ({"synthetic": 9}, [trial(0, range(80))])}
    first, after = paragraph(**sets)
    assert "neither has learned yet to find the part" in first
    assert "train for more epochs" in after


def test_regressors_that_are_no_better_than_one_answer_for_all_have_not_learned():
    sets = {
        "real": ({"real": 9}, [trial(0, [], [15.5] * IMAGES)]),
        "twin": ({"synthetic": 9}, [trial(0, [], [90.0] * IMAGES)]),
    }
    first, _ = gap_sentences(synthetic_gaps(comparison(**sets)).normals)  # tilted by 15 degrees in the median
    assert "than to answer each time that the surface faces the camera (15.00 degrees)" in first
    sets["real"] = ({"real": 9}, [trial(0, [], [14.5] * IMAGES)])
    assert "a gap of 75.50 degrees" in gap_sentences(synthetic_gaps(comparison(**sets)).normals)[0]


def test_where_everything_fails_there_are_no_others_to_differ_from():
    text = " ".join(paragraph(real=REAL, twin=({"synthetic": 9}, [trial(0, range(79))])))
    assert "79 of 80 labels are missed" in text
    assert "too few others are left to compare the failing ones with" in text


def test_what_fails_is_described_by_what_it_shares_and_suggested_next():
    text = " ".join(paragraph(small=24, real=REAL, twin=TWIN))
    assert (
        "24 of 80 labels are missed or boxed with an IoU under 0.75; than the others these are smaller (box's size"
        in text
    )
    assert "Next: take some 20 real images, first of all from farther away, add them to twin" in text


def test_failures_by_chance_share_nothing():
    missed = np.random.default_rng(0).choice(IMAGES, 20, replace=False).tolist()
    text = " ".join(paragraph(real=REAL, twin=({"synthetic": 9}, [trial(0, missed)])))
    assert "do not differ from the others by more than chance" in text


def test_a_gap_that_may_be_none_is_said_to_be_unknown():
    twin = ({"synthetic": 600}, [trial(0, [*range(0, 4), 9])])
    text = " ".join(paragraph(real=REAL, twin=twin, more=({"synthetic": 5, "real": 5}, [trial(0, [])])))
    assert "cannot tell them apart" in text
    assert "Sets of both kinds reach 1.000 (more)." in text
    assert "take more test images" in text


def test_synthetic_images_that_are_better_need_no_real_ones():
    text = " ".join(paragraph(real=({"real": 9}, [trial(0, range(30))]), twin=({"synthetic": 600}, [trial(0, [])])))
    assert "the synthetic ones are better by 0.375" in text
    assert "no label fails, so there is no pattern" in text
    assert "real images would not help" in text


@pytest.mark.parametrize(
    ("sets", "lacks", "failed"), [({"real": REAL}, "only synthetic", 4), ({"twin": TWIN}, "only real", 24)]
)
def test_without_one_of_the_two_there_is_no_gap(sets, lacks, failed):
    first, second = paragraph(**sets)
    assert lacks in first
    assert f"{failed} of 80 labels are missed" in second


def test_normals_fail_by_their_angle():
    bad = np.concatenate([np.full(24, 15.0), np.full(56, 5.0)])
    sets = {
        "real": ({"real": 300}, [trial(0, [], np.full(IMAGES, 2.0))]),
        "twin": ({"synthetic": 600}, [trial(0, [], bad)]),
    }
    text = " ".join(gap_sentences(synthetic_gaps(comparison(small=24, **sets)).normals))
    assert "24 of 80 labels are off by more than 10 degrees" in text
