"""The synthetic gap as a paragraph: how large it is, what closes it, what still fails and what to do next."""

from collections.abc import Sequence

from cadsight_experiments.set_figures import Measured
from cadsight_experiments.synthetic_gap import (
    DETECTOR_FIGURE,
    LEAST_FAILURES,
    LOOSE_IOU,
    WRONG_DEG,
    Closed,
    Failures,
    SetFigure,
    SyntheticGap,
    best_of_each,
)

# With this fraction of the gap closed no more real images are suggested.
_ENOUGH = 0.9
# By property: its name, its unit, words for a large and a small value, and how to take such an image.
_PROPERTIES = {
    "size": ("box's size as a fraction of the image's", "", "larger", "smaller", "from nearer by", "from farther away"),
    "visible": ("visible fraction", "", "freer", "more covered", "with nothing before the part",
                "with the part covered"),
    "brightness": ("brightness", "", "brighter", "darker", "in bright light", "in dim light"),
    "contrast": ("contrast", "", "richer in contrast", "poorer in contrast", "in hard light", "in soft, even light"),
    "tilt_deg": ("tilt from the camera", " degrees", "more tilted", "less tilted", "with the part tilted away",
                 "with the part facing the camera"),
    "at_border": ("fraction cut by the border", "", "more often cut by the image's border",
                  "less often cut by the image's border", "with the part at the image's border",
                  "with the part in the image's middle"),
}  # fmt: skip


def gap_sentences(answer: SyntheticGap) -> tuple[str, ...]:
    """The paragraph; before its last sentence, what to do next, come the gaps of networks of other sizes."""
    *sentences, last = _of_one(answer)
    others = [_of_one(other)[0] for other in answer.others if other.gap is not None]
    return (*sentences, *others, last)


def _of_one(answer: SyntheticGap) -> list[str]:
    synthetic, real, gap = answer.synthetic, answer.real, answer.gap
    if synthetic is None or real is None or gap is None:
        lacks = "only synthetic images" if synthetic is None else "only real images"
        sentences = [f"No training set holds {lacks}, so there is no gap to report: add one that does."]
        return sentences + ([_fail_sentence(answer.fails, answer.figure)] if answer.fails else [])
    ends = _ends_sentence(answer, synthetic, real)
    if answer.fails is None:
        return [
            f"{ends}: {_unlearned(answer)}, so the two cannot be compared yet.",
            "Next: train for more epochs, or with larger images, and compare again.",
        ]
    sentences = _gap_sentences(answer, ends, gap)
    sentences += _others_sentences(answer, synthetic, gap)
    sentences += [_fail_sentence(answer.fails, answer.figure)]
    return [*sentences, *_next_sentences(answer, synthetic, gap, answer.fails)]


def _unlearned(answer: SyntheticGap) -> str:
    """Why nothing can be concluded from both ends yet."""
    if answer.figure == DETECTOR_FIGURE:
        return "neither has learned yet to find the part"
    constant = f"({answer.constant_deg:.2f} degrees)"
    return f"neither is better yet than to answer each time that the surface faces the camera {constant}"


def _others_sentences(answer: SyntheticGap, synthetic: SetFigure, gap: Measured) -> list[str]:
    """What the sets reach that are at neither end of the gap."""
    digits, unit = _printed(answer.figure)

    def listed(rows: Sequence[SetFigure]) -> str:
        words = [f"{r.measured.value:.{digits}f}{unit} ({r.name})" for r in rows]
        return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)

    synthetic_sets = [r for r in answer.sets if r.kind == "synthetic" and r.name != synthetic.name]
    mixed = [r for r in answer.sets if r.kind == "mixed"] if gap.low <= 0 else []
    sentences = (
        [f"Of the synthetic sets {synthetic.name} is the best: others reach {listed(synthetic_sets)}."]
        if synthetic_sets
        else []
    )
    return sentences + ([f"Sets of both kinds reach {listed(mixed)}."] if mixed else [])


def _printed(figure: str) -> tuple[int, str]:
    """Digits and unit of the figure."""
    return (3, "") if figure == DETECTOR_FIGURE else (2, " degrees")


def _ends_sentence(answer: SyntheticGap, synthetic: SetFigure, real: SetFigure) -> str:
    """What both ends of the gap reach, with no full stop."""
    digits, unit = _printed(answer.figure)
    what = "an mAP50:95 of" if answer.figure == DETECTOR_FIGURE else "a median error of"
    return (
        f"Synthetic images alone ({synthetic.name}) reach {what} {synthetic.measured.value:.{digits}f}{unit} on "
        f"{answer.test_images} test images, {real.real} real ones ({real.name}) "
        f"{real.measured.value:.{digits}f}{unit}"
    )


def _gap_sentences(answer: SyntheticGap, first: str, gap: Measured) -> list[str]:
    digits, unit = _printed(answer.figure)
    size = f"{abs(gap.value):.{digits}f}{unit} ({_between(gap, digits)})"
    if gap.low > 0:
        sentences = [f"{first}: a gap of {size}."]
    elif gap.high < 0:
        return [f"{first}: the synthetic ones are better by {abs(gap.value):.{digits}f}{unit}, "
                f"and the interval ({-gap.high:.{digits}f} to {-gap.low:.{digits}f}) does not reach 0."]  # fmt: skip
    else:
        ahead = "real" if gap.value > 0 else "synthetic"
        between = f"{gap.low:+.{digits}f} to {gap.high:+.{digits}f}"
        return [f"{first}: the {ahead} ones are ahead by {abs(gap.value):.{digits}f}{unit}, but the interval of "
                f"real over synthetic ({between}) holds 0, so this test set cannot tell them apart."]  # fmt: skip
    closing = best_of_each([c for c in answer.closed if c.kind == "mixed"])
    sentences += [
        f"With {c.real} real images {'after' if c.after else 'among'} them ({c.name}) "
        f"{_fraction(c.measured.value)} of it is closed ({100 * c.measured.low:.0f} to {100 * c.measured.high:.0f} %)."
        for c in closing
    ]
    if len(closing) > 1:
        sentences.append(_reached_sentence(closing))
    for mixed in closing:
        alone = next((c for c in answer.closed if c.kind == "real" and c.real == mixed.real), None)
        if alone is not None:
            same = f"The same {mixed.real} real images without the synthetic ones ({alone.name}) reach"
            value = alone.measured.value
            sentences.append(
                f"{same} {f'{100 * value:.0f} % of the way' if value > 0 else 'less than the synthetic ones'}."
            )
    return sentences


def _closes(closed: Closed, level: float) -> bool:
    """Whether it closes at least the fraction ``level``, rounded as printed: to whole per cent."""
    return round(closed.measured.value, 2) >= level


def _reached_sentence(closing: Sequence[Closed]) -> str:
    """How many real images first close half and nine tenths of the gap."""
    words = []
    for level in (0.5, _ENOUGH):
        one = next((c for c in closing if _closes(c, level)), None)
        words.append(f"{one.real} real images ({one.name})" if one else "more real images than these")
    return f"Closing half of the gap takes {words[0]}, closing nine tenths {words[1]}."


def _fail_sentence(fails: Failures, figure: str) -> str:
    loose = f"missed or boxed with an IoU under {LOOSE_IOU:g}"
    missed = loose if figure == DETECTOR_FIGURE else f"off by more than {WRONG_DEG:g} degrees"
    count = f"Trained on {fails.set_name}, {fails.failed} of {fails.labels} labels are {missed}"
    if not fails.failed:
        return f"{count}: no label fails, so there is no pattern."
    if fails.labels - fails.failed < LEAST_FAILURES:
        return f"{count}: too few others are left to compare the failing ones with."
    if not fails.shared:
        few = f"fewer than {LEAST_FAILURES} make no pattern" if fails.failed < LEAST_FAILURES else (
            "in size, cover, light and pose they do not differ from the others by more than chance"
        )  # fmt: skip
        return f"{count}; {few}."
    parts = []
    for test in fails.shared:
        called, unit, more, less, _, _ = _PROPERTIES[test.name]
        parts.append(
            f"{more if test.higher > 0.5 else less} ({called} {test.failing:.3g}{unit} against {test.others:.3g}{unit})"
        )
    return f"{count}; than the others these are {' and '.join(parts)}."


def _next_sentences(answer: SyntheticGap, synthetic: SetFigure, gap: Measured, fails: Failures) -> list[str]:
    how = [_PROPERTIES[t.name][4 if t.higher > 0.5 else 5] for t in fails.shared]
    such = f", first of all {' and '.join(how)}" if how else ""
    if gap.high <= 0:
        return ["Next: real images would not help by this test set; render synthetic ones of what fails" + such + "."]
    if gap.low <= 0:
        return [
            f"Next: take more test images, not training ones: four times {answer.test_images} would make the "
            f"interval about half as wide{'' if not such else ', and render synthetic ones' + such}."
        ]
    mixed = [c for c in answer.closed if c.kind == "mixed"]
    enough = next((c for c in mixed if _closes(c, _ENOUGH)), None)
    there = max(s.real for s in answer.sets if s.kind == "real")
    if enough is not None and enough.real >= there:
        return [f"Next: compare with fewer than these {there} real images, to see how many the synthetic ones save."]
    if enough is not None:
        return [f"Next: {enough.real} real images are enough; take others only{such or ' where it fails'}."]
    if not mixed:
        return [f"Next: take some 20 real images{such}, add them to {synthetic.name} and compare again."]
    best = max(mixed, key=lambda c: c.measured.value)
    return [f"Next: take more than {best.real} real images{such}, and add them to the synthetic ones."]


def _between(gap: Measured, digits: int) -> str:
    return f"{gap.low:.{digits}f} to {gap.high:.{digits}f}"


def _fraction(value: float) -> str:
    return "none" if value <= 0 else f"{100 * value:.0f} %"
