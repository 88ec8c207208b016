"""Who wins where people and the model differ, and what is told of it."""

from pathlib import Path

import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.formats.labelling.answers import Annotation, Answer, Drawn
from cadsight_core.formats.labelling.settling import Settling, settle
from cadsight_core.formats.labelling.tasks import tasks_of
from cadsight_core.sample import Instance, Sample

SIZE = ImageSize(100, 100)
GUESSES = (
    Instance(0, Box(10, 10, 30, 30), score=0.9, source="model"),
    Instance(1, Box(50, 50, 90, 90), score=0.4, source="model"),
)
NUT = Drawn("nut", 0.1, 0.1, 0.2, 0.2, id="guess-0")
BOLT = Drawn("bolt", 0.5, 0.5, 0.4, 0.4, id="guess-1")
NEW = Drawn("bolt", 0.6, 0.0, 0.1, 0.2, id="x")


def batch(*names, guesses=GUESSES):
    samples = [(Sample(n, Path(f"{n}.png"), SIZE, instances=guesses), f"sha-{n}") for n in names]
    return tasks_of(samples, ["nut", "bolt"], "m")


def said(name, *annotations, **more):
    return Answer(f"f.json, task {name}", f"sha-{name}", (f"{name}.png",), annotations, **more)


def settled_of(*annotations, settling=None):
    return settle(batch("a"), [said("a", *annotations)], settling)


def labels_of(settled):
    (sample,) = settled.samples
    return [(i.class_id, i.box.as_tuple(), i.score, i.source) for i in sample.instances]


def test_a_label_is_accepted_edited_or_drawn_and_the_rest_is_told():
    moved = Drawn("nut", 0.1, 0.1, 0.25, 0.2, id="guess-0")
    settled = settled_of(Annotation((moved, NEW)))
    assert labels_of(settled) == [
        (0, pytest.approx((10, 10, 35, 30)), None, "human-edited"),
        (1, pytest.approx((60, 0, 70, 20)), None, "human-drawn"),
    ]
    assert settled.account.removed == 1
    assert [(c.between, c.sentence) for c in settled.account.conflicts] == [
        ("model", "a guess of 'nut' was moved (IoU 0.80), and the moved box holds"),
        ("model", "a guess of 'bolt' with a score of 0.40 was taken away, and is"),
    ]
    accepted = settled_of(Annotation((NUT, BOLT)))
    assert labels_of(accepted) == [
        (0, (10, 10, 30, 30), 0.9, "model-accepted"),
        (1, (50, 50, 90, 90), 0.4, "model-accepted"),
    ]
    assert accepted.account.conflicts == ()


def test_another_class_is_an_edit_that_holds():
    settled = settled_of(Annotation((Drawn("bolt", 0.1, 0.1, 0.2, 0.2, id="guess-0"), BOLT)))
    assert [(c, s) for c, _, _, s in labels_of(settled)] == [(1, "human-edited"), (1, "model-accepted")]
    assert settled.account.conflicts[0].sentence == "the guess 'nut' is said to be 'bolt', which holds"


def test_the_second_of_two_boxes_with_one_id_is_a_new_one():
    copy = Drawn("nut", 0.7, 0.1, 0.2, 0.2, id="guess-0")
    sources = [s for *_, s in labels_of(settled_of(Annotation((copy, NUT, BOLT))))]
    assert sources == ["human-drawn", "model-accepted", "model-accepted"]


def test_without_an_id_a_box_that_overlaps_by_half_is_an_edit():
    near = Drawn("nut", 0.1, 0.1, 0.2, 0.3)
    far = Drawn("bolt", 0.5, 0.5, 0.1, 0.1)
    assert [s for *_, s in labels_of(settled_of(Annotation((near, far))))] == ["human-edited", "human-drawn"]


def test_labels_of_a_set_keep_their_own_source_where_nobody_changed_them():
    own = Instance(0, Box(10, 10, 30, 30), source="human-drawn", attributes={"iscrowd": 1})
    settled = settle(batch("a", guesses=(own,)), [said("a", Annotation((NUT,)))])
    (label,) = settled.samples[0].instances
    assert (label.source, label.attributes) == ("human-drawn", {"iscrowd": 1})


def test_empty_skipped_and_not_annotated_are_three_things():
    answers = [
        said("labelled", Annotation((NUT, BOLT))),
        said("empty", Annotation(())),
        said("skipped", Annotation((NUT,), skipped=True)),
        said("opened"),
    ]
    settled = settle(batch("labelled", "empty", "skipped", "opened", "absent"), answers)
    account = settled.account
    assert (account.labelled, account.empty, account.skipped) == (("labelled",), ("empty",), ("skipped",))
    assert account.not_annotated == ("opened", "absent")
    assert [s.name for s in settled.samples] == ["labelled", "empty"]


def test_a_guess_that_nobody_confirmed_is_no_label():
    untouched = Annotation((NUT, BOLT), finished=False)
    with_edit = Annotation((NUT, BOLT, NEW), finished=False)
    settled = settle(batch("a", "b"), [said("a", untouched), said("b", with_edit)])
    assert (settled.account.labelled, settled.account.not_annotated) == (("b",), ("a",))
    assert "1 images come back with the guess as it was" in settled.account.remarks[0]
    everything = settle(batch("a"), [said("a", untouched)], Settling(all_checked=True))
    assert everything.account.sources == {"model-accepted": 2}


def test_of_two_people_the_later_wins_and_the_other_is_told():
    early = Annotation((NUT, BOLT, NEW), by="annotator 1", at="2026-01-01T10:00:00Z")
    late = Annotation((NUT, NEW), by="annotator 2", at="2026-01-02T10:00:00Z")
    for order in ((early, late), (late, early)):
        settled = settled_of(*order)
        assert len(labels_of(settled)) == 2
        assert settled.account.conflicts[0].between == "people"
        assert "annotator 1 has 3 labels and annotator 2 2" in settled.account.conflicts[0].sentence
    assert len(labels_of(settled_of(Annotation((NUT, BOLT, NEW), chosen=True), late))) == 3


def test_a_person_who_changed_something_wins_over_one_who_left_the_guess():
    settled = settled_of(Annotation((NUT,), at="1"), Annotation((NUT, BOLT), at="2"))
    assert len(labels_of(settled)) == 1


def test_two_who_agree_make_no_conflict_and_two_files_of_one_batch_are_one():
    settled = settle(batch("a"), [said("a", Annotation((NUT, BOLT))), said("a", Annotation((BOLT, NUT)))])
    assert settled.account.conflicts == ()
    assert len(labels_of(settled)) == 2


def test_one_who_skipped_beside_one_who_did_not_is_told():
    settled = settled_of(Annotation((), skipped=True), Annotation((NUT, BOLT)))
    assert settled.account.labelled == ("a",)
    assert "skipped it" in settled.account.conflicts[0].sentence


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (said("z", Annotation((NUT,))), "'z.png', which is no image of the batch"),
        (said("a", Annotation((Drawn("cog", 0, 0, 1, 1),))), "the class 'cog', expected one of nut, bolt"),
        (
            said("a", Annotation((Drawn("nut", 0, 0, 1, 1, 30),))),
            "turned by 30 degrees, expected an upright box",
        ),
        (said("a", Annotation((NUT,)), faults=("a region is a brush",)), "a region is a brush"),
    ],
)
def test_what_cannot_be_used_is_refused_or_left_out_and_counted(answer, words):
    tasks = batch("a")
    with pytest.raises(CadsightError) as caught:
        settle(tasks, [answer, said("a", Annotation((NUT,)))])
    assert words in str(caught.value)
    left = settle(tasks, [answer], Settling(allow_loss=True)).account.left_out
    assert len(left) == 1
    assert left[0] in str(caught.value)


def test_a_turned_box_is_enclosed_where_that_is_asked():
    turned = Drawn("nut", 0.5, 0.2, 0.5, 0.25, 36.86989764584402)
    (label,) = labels_of(settled_of(Annotation((turned,)), settling=Settling(enclose=True)))
    assert label[1] == pytest.approx((35, 20, 90, 70))


def test_images_that_are_alike_to_the_byte_are_told_apart_by_name():
    samples = [(Sample(n, Path(f"{n}.png"), SIZE), "same") for n in ("a", "b")]
    answers = [Answer("w", "same", (f"{n}.png",), (Annotation((d,)),)) for n, d in (("b", BOLT), ("a", NUT))]
    settled = settle(tasks_of(samples, ["nut", "bolt"]), answers)
    assert [s.instances[0].class_id for s in settled.samples] == [0, 1]
