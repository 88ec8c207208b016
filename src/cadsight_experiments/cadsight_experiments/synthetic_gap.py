"""What synthetic pictures bought: the gap to real ones, what closed it, what still fails and what to take next.

A pure function over a comparison (:func:`cadsight_experiments.comparison.compare`). Intervals are 95 % and come from
resampling the test pictures, the same for every set, and of several seeds the seeds as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cadsight_core.geometry import Array
from cadsight_learning.metrics.bootstrap import interval
from scipy.stats import mannwhitneyu

from cadsight_experiments.set_figures import Measured, resampled_sets

DETECTOR_FIGURE, NORMAL_FIGURE = "map50_95", "median_deg"
# Networks that find less have not learned yet, and nothing follows from how far they are apart.
_LEARNED = 0.05
# Failures of fewer labels are no pattern.
_LEAST_FAILURES = 3
# Of a test that failures differ from the rest, over all properties together (Holm).
_CHANCE = 0.05
_ENOUGH = 0.9
_WRONG_DEG, _LOOSE_IOU = 10.0, 0.75
# A property: what it is called, its unit, what a large and a small one is, and how to take such a picture.
_PROPERTIES = {
    "size": ("box's size as a share of the picture's", "", "larger", "smaller", "from nearer by", "from farther away"),
    "visible": ("visible share", "", "freer", "more covered", "with nothing before the part", "with the part covered"),
    "brightness": ("brightness", "", "brighter", "darker", "in bright light", "in dim light"),
    "contrast": ("contrast", "", "richer in contrast", "poorer in contrast", "in hard light", "in soft, even light"),
    "tilt_deg": ("tilt from the camera", " degrees", "more tilted", "less tilted", "with the part tilted away",
                 "with the part facing the camera"),
    "at_border": ("share cut by the border", "", "more often cut by the picture's border",
                  "less often cut by the picture's border", "with the part at the picture's border",
                  "with the part in the picture's middle"),
}  # fmt: skip


def kind_of(one: Mapping[str, Any], before: Sequence[Mapping[str, Any]] = ()) -> str:
    """'real', 'synthetic' or 'mixed', by the ``origins`` of the pictures that were learned from.

    Composed pictures hold real parts; of a set that goes on from another of ``before`` that one's pictures count too.
    """
    by_name = {b["name"]: b for b in before}
    origins: set[str] = set()
    left: Mapping[str, Any] | None = one
    while left is not None:
        origins |= {name for name, count in left["origins"].items() if count}
        left = by_name.get(left.get("after", ""))
    if origins == {"real"}:
        return "real"
    return "mixed" if origins & {"real", "composed"} else "synthetic"


def worth(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """The answer for the detector (mAP50:95) and, where there is one, for the regressor of normals (median error).

    Of several synthetic sets the best stands for them, of the real ones that with the most pictures. Where the sets
    tell of networks of several sizes (the fact ``size``), those of the best synthetic one's size are compared, and of
    the others the gap alone is told.

    Returns:
        ``detector`` and ``normals`` (None where the comparison does not tell): ``figure``, ``sets`` (name, kind, number
        of ``real`` pictures, the set that it comes ``after``, ``value`` with its interval), ``synthetic`` and ``real``
        (names), ``gap`` (how much better real is, with its interval), ``closed`` (of each other set with real pictures
        its share of the gap), ``fails`` (None where neither end has learned) and ``sentences``, the paragraph.
    """
    again = resampled_sets(comparison)
    return {
        "detector": _answer(comparison, again, DETECTOR_FIGURE),
        "normals": _answer(comparison, again, NORMAL_FIGURE),
    }


def _answer(
    comparison: Mapping[str, Any], resamples: Mapping[str, Mapping[str, Array]], figure: str
) -> dict[str, Any] | None:
    judged = [one for one in comparison["sets"] if all(figure in t["figures"] for t in one["trials"])]
    if not judged:
        return None
    sizes: dict[str, list[Mapping[str, Any]]] = {}
    for one in judged:
        sizes.setdefault(one.get("facts", {}).get("size", ""), []).append(one)
    answers = [_of_size(comparison, sets, resamples, figure) for sets in sizes.values()]

    def reached(answer: Mapping[str, Any]) -> float:
        ends = [_better(figure) * s["value"] for s in answer["sets"] if s["name"] == answer["synthetic"]]
        return max(ends, default=-np.inf)

    best = max(answers, key=reached)
    others = [a["sentences"][0] for a in answers if a is not best and a["gap"]]
    *said, last = best["sentences"]
    return {**best, "sentences": [*said, *others, last]}


def _better(figure: str) -> float:
    """1 where more of the figure is better, else -1."""
    return 1.0 if figure == DETECTOR_FIGURE else -1.0


def _of_size(
    comparison: Mapping[str, Any],
    sets: Sequence[Mapping[str, Any]],
    resamples: Mapping[str, Mapping[str, Array]],
    figure: str,
) -> dict[str, Any]:
    kinds = {one["name"]: kind_of(one, comparison["sets"]) for one in sets}
    better = _better(figure)
    again = {one["name"]: resamples[one["name"]][figure] for one in sets}
    values = {one["name"]: float(np.mean([t["figures"][figure] for t in one["trials"]])) for one in sets}
    rows = [
        {
            "name": one["name"],
            "kind": kinds[one["name"]],
            "real": int(one["origins"].get("real", 0)),
            "after": one.get("after", ""),
            "pictures": one["pictures"],
            **_measured(values[one["name"]], again[one["name"]]).to_json(),
        }
        for one in sets
    ]
    synthetic = max((r for r in rows if r["kind"] == "synthetic"), key=lambda r: better * r["value"], default=None)
    real = max((r for r in rows if r["kind"] == "real"), key=lambda r: r["real"], default=None)
    answer: dict[str, Any] = {
        "figure": figure, "sets": rows, "synthetic": synthetic and synthetic["name"], "real": real and real["name"],
        "gap": None, "closed": [], "fails": None,
    }  # fmt: skip
    if synthetic is None or real is None:
        lacks = "only synthetic pictures" if synthetic is None else "only real pictures"
        answer["sentences"] = [
            f"No training set holds {lacks}, so there is no gap to tell of: give the experiment one that does."
        ]
        alone = max(rows, key=lambda r: better * r["value"])
        answer["fails"] = _failures(comparison["objects"], _named(sets, alone["name"]), figure)
        answer["sentences"].append(_fail_sentence(answer["fails"], figure))
        return answer
    gaps = better * (again[real["name"]] - again[synthetic["name"]])
    gap = _measured(better * (values[real["name"]] - values[synthetic["name"]]), gaps)
    answer["gap"] = gap.to_json()
    if gap.low > 0:
        others = sorted((r for r in rows if r["real"] and r["name"] != real["name"]), key=lambda r: r["real"])
        for row in others:
            gained = better * (again[row["name"]] - again[synthetic["name"]])
            value = better * (row["value"] - synthetic["value"]) / gap.value
            known = gaps > 0.1 * gap.value
            share = _measured(value, np.where(known, gained / np.where(known, gaps, 1.0), np.nan))
            answer["closed"].append({k: row[k] for k in ("name", "kind", "real", "after")} | share.to_json())
    unlearned = _unlearned(comparison["objects"], figure, max(better * synthetic["value"], better * real["value"]))
    if unlearned:
        ends = _ends_sentence(answer, synthetic, real, comparison["test_pictures"])
        answer["sentences"] = [
            f"{ends}: {unlearned}, so nothing can be said of what they are worth.",
            "Next: train for more epochs, or with larger pictures, and compare again.",
        ]
        return answer
    answer["fails"] = _failures(comparison["objects"], _named(sets, synthetic["name"]), figure)
    answer["sentences"] = _sentences(answer, synthetic, real, gap, comparison["test_pictures"])
    return answer


def _unlearned(objects: Sequence[Mapping[str, Any]], figure: str, best: float) -> str:
    """Why the ``best`` of both ends (more is better) tells nothing yet, or ''."""
    if figure == DETECTOR_FIGURE:
        return "neither has learned yet to find the part" if best < _LEARNED else ""
    tilts = [o["tilt_deg"] for o in objects if o.get("tilt_deg") is not None]
    constant = float(np.median(tilts)) if tilts else np.inf
    same = f"neither is better yet than to answer each time that the surface faces the camera ({constant:.2f} degrees)"
    return same if -best >= constant else ""


def _named(sets: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next(one for one in sets if one["name"] == name)


def best_of_each(rows: Sequence[Mapping[str, Any]], better: float = 1.0) -> list[Mapping[str, Any]]:
    """Of ``rows`` with as many ``real`` pictures the best by ``value``, fewest real pictures first."""
    found: dict[int, Mapping[str, Any]] = {}
    for row in rows:
        there = found.get(row["real"])
        if there is None or better * row["value"] > better * there["value"]:
            found[row["real"]] = row
    return [found[real] for real in sorted(found)]


def _measured(value: float, again: Array) -> Measured:
    return Measured(value, *interval(again))


def _failures(objects: Sequence[Mapping[str, Any]], one: Mapping[str, Any], figure: str) -> dict[str, Any]:
    """Which labels fail in at least half of the set's trials, and in what they differ from the others."""
    failed = np.mean([[_fails(o, figure) for o in t["objects"]] for t in one["trials"]], axis=0) >= 0.5
    judged = np.array(
        [figure == DETECTOR_FIGURE or o.get("angle_deg") is not None for o in one["trials"][0]["objects"]]
    )
    failed &= judged
    found: dict[str, Any] = {
        "set": one["name"],
        "labels": int(judged.sum()),
        "failed": int(failed.sum()),
        "pictures": list(dict.fromkeys(o["picture"] for o, f in zip(objects, failed, strict=True) if f)),
        "shared": [],
    }
    tests: list[dict[str, Any]] = []
    for name in _PROPERTIES:
        values = np.array([np.nan if o.get(name) is None else o[name] for o in objects], float)
        bad, good = values[failed & np.isfinite(values)], values[judged & ~failed & np.isfinite(values)]
        if len(bad) < _LEAST_FAILURES or len(good) < _LEAST_FAILURES or np.ptp(np.concatenate([bad, good])) == 0:
            continue
        tested = mannwhitneyu(bad, good)
        middle = np.mean if name == "at_border" else np.median
        tests.append({
            "property": name,
            "failing": round(float(middle(bad)), 4),
            "others": round(float(middle(good)), 4),
            "higher": float(tested.statistic) / (len(bad) * len(good)),
            "chance": float(tested.pvalue),
        })  # fmt: skip
    tests.sort(key=lambda t: t["chance"])
    for rank, test in enumerate(tests):
        if test["chance"] * (len(tests) - rank) > _CHANCE:
            break
        found["shared"].append(test)
    return found


def _fails(judged: Mapping[str, Any], figure: str) -> bool:
    if figure == DETECTOR_FIGURE:
        return not judged["found"] or judged["iou"] < _LOOSE_IOU
    angle = judged.get("angle_deg")
    return angle is not None and angle > _WRONG_DEG


def _sentences(
    answer: Mapping[str, Any], synthetic: Mapping[str, Any], real: Mapping[str, Any], gap: Measured, pictures: int
) -> list[str]:
    """The paragraph."""
    said = _gap_sentences(answer, synthetic, real, gap, pictures)
    said += _others_sentences(answer, gap)
    said += [_fail_sentence(answer["fails"], answer["figure"])]
    return [*said, *_next_sentences(answer, gap, pictures)]


def _others_sentences(answer: Mapping[str, Any], gap: Measured) -> list[str]:
    """What the other sets reach, which stand at neither end of the gap."""
    digits, unit = _printed(answer["figure"])

    def told(rows: Sequence[Mapping[str, Any]]) -> str:
        words = [f"{r['value']:.{digits}f}{unit} ({r['name']})" for r in rows]
        return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)

    drawn = [r for r in answer["sets"] if r["kind"] == "synthetic" and r["name"] != answer["synthetic"]]
    mixed = [r for r in answer["sets"] if r["kind"] == "mixed"] if gap.low <= 0 else []
    said = [f"Of the synthetic sets {answer['synthetic']} is the best: others reach {told(drawn)}."] if drawn else []
    return said + ([f"Sets of both kinds reach {told(mixed)}."] if mixed else [])


def _printed(figure: str) -> tuple[int, str]:
    """Digits and unit of the figure."""
    return (3, "") if figure == DETECTOR_FIGURE else (2, " degrees")


def _ends_sentence(
    answer: Mapping[str, Any], synthetic: Mapping[str, Any], real: Mapping[str, Any], pictures: int
) -> str:
    """What both ends of the gap reach, with no full stop."""
    digits, unit = _printed(answer["figure"])
    what = "an mAP50:95 of" if answer["figure"] == DETECTOR_FIGURE else "a median error of"
    return (
        f"Synthetic pictures alone ({synthetic['name']}) reach {what} {synthetic['value']:.{digits}f}{unit} on "
        f"{pictures} test pictures, {real['real']} real ones ({real['name']}) {real['value']:.{digits}f}{unit}"
    )


def _gap_sentences(
    answer: Mapping[str, Any], synthetic: Mapping[str, Any], real: Mapping[str, Any], gap: Measured, pictures: int
) -> list[str]:
    digits, unit = _printed(answer["figure"])
    first = _ends_sentence(answer, synthetic, real, pictures)
    size = f"{abs(gap.value):.{digits}f}{unit} ({_between(gap, digits)})"
    if gap.low > 0:
        said = [f"{first}: a gap of {size}."]
    elif gap.high < 0:
        return [f"{first}: the synthetic ones are better by {abs(gap.value):.{digits}f}{unit}, "
                f"and the interval ({-gap.high:.{digits}f} to {-gap.low:.{digits}f}) does not reach 0."]  # fmt: skip
    else:
        ahead = "real" if gap.value > 0 else "synthetic"
        between = f"{gap.low:+.{digits}f} to {gap.high:+.{digits}f}"
        return [f"{first}: the {ahead} ones are ahead by {abs(gap.value):.{digits}f}{unit}, but the interval of "
                f"real over synthetic ({between}) holds 0, so this test set cannot tell them apart."]  # fmt: skip
    closing = best_of_each([c for c in answer["closed"] if c["kind"] == "mixed"])
    said += [
        f"With {c['real']} real pictures {'after' if c['after'] else 'among'} them ({c['name']}) "
        f"{_share(c['value'])} of it is closed ({100 * c['low']:.0f} to {100 * c['high']:.0f} %)."
        for c in closing
    ]
    if len(closing) > 1:
        said.append(_reached_sentence(closing))
    for mixed in closing:
        alone = next((c for c in answer["closed"] if c["kind"] == "real" and c["real"] == mixed["real"]), None)
        if alone is not None:
            same = f"The same {mixed['real']} real pictures without the synthetic ones ({alone['name']}) reach"
            far = f"{100 * alone['value']:.0f} % of the way" if alone["value"] > 0 else "less than the synthetic ones"
            said.append(f"{same} {far}.")
    return said


def _closes(closed: Mapping[str, Any], level: float) -> bool:
    """Whether a share is that of ``level``, as it is printed: in whole per cent."""
    return round(float(closed["value"]), 2) >= level


def _reached_sentence(closing: Sequence[Mapping[str, Any]]) -> str:
    """With how many real pictures how much of the gap was first closed."""
    words = []
    for level in (0.5, _ENOUGH):
        one = next((c for c in closing if _closes(c, level)), None)
        words.append(f"{one['real']} real pictures ({one['name']})" if one else "more real pictures than these")
    return f"Closing half of the gap takes {words[0]}, closing nine tenths {words[1]}."


def _fail_sentence(fails: Mapping[str, Any], figure: str) -> str:
    loose = f"missed or boxed with an IoU under {_LOOSE_IOU:g}"
    missed = loose if figure == DETECTOR_FIGURE else f"off by more than {_WRONG_DEG:g} degrees"
    count = f"Trained on {fails['set']}, {fails['failed']} of {fails['labels']} labels are {missed}"
    if not fails["failed"]:
        return f"{count}: there is nothing that failing pictures could share."
    if fails["labels"] - fails["failed"] < _LEAST_FAILURES:
        return f"{count}: too few others are left to say what the failing ones share."
    if not fails["shared"]:
        few = f"fewer than {_LEAST_FAILURES} tell no pattern" if fails["failed"] < _LEAST_FAILURES else (
            "in size, cover, light and pose they do not differ from the others by more than chance"
        )  # fmt: skip
        return f"{count}; {few}."
    parts = []
    for test in fails["shared"]:
        called, unit, more, less, _, _ = _PROPERTIES[test["property"]]
        parts.append(
            f"{more if test['higher'] > 0.5 else less} ({called} {test['failing']:.3g}{unit} against "
            f"{test['others']:.3g}{unit})"
        )
    return f"{count}; than the others these are {' and '.join(parts)}."


def _next_sentences(answer: Mapping[str, Any], gap: Measured, pictures: int) -> list[str]:
    how = [_PROPERTIES[t["property"]][4 if t["higher"] > 0.5 else 5] for t in answer["fails"]["shared"]]
    such = f", first of all {' and '.join(how)}" if how else ""
    if gap.high <= 0:
        return ["Next: real pictures would not help by this test set; draw synthetic ones of what fails" + such + "."]
    if gap.low <= 0:
        return [
            f"Next: take more test pictures, not training ones: four times {pictures} would make the interval about "
            f"half as wide{'' if not such else ', and draw synthetic ones' + such}."
        ]
    mixed = [c for c in answer["closed"] if c["kind"] == "mixed"]
    enough = next((c for c in mixed if _closes(c, _ENOUGH)), None)
    there = max(s["real"] for s in answer["sets"] if s["kind"] == "real")
    if enough is not None and enough["real"] >= there:
        return [f"Next: compare with fewer than these {there} real pictures, to see how many the synthetic ones save."]
    if enough is not None:
        return [f"Next: {enough['real']} real pictures are enough; take others only{such or ' where it fails'}."]
    if not mixed:
        return [f"Next: take some 20 real pictures{such}, add them to {answer['synthetic']} and compare again."]
    best = max(mixed, key=lambda c: c["value"])
    return [f"Next: take more than {best['real']} real pictures{such}, and add them to the synthetic ones."]


def _between(gap: Measured, digits: int) -> str:
    return f"{gap.low:.{digits}f} to {gap.high:.{digits}f}"


def _share(value: float) -> str:
    return "none" if value <= 0 else f"{100 * value:.0f} %"
