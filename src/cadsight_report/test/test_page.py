import re
from dataclasses import replace

import made_figures as made
from cadsight_core.storage.folders.live_report import LiveFigures, ReplayVerdict
from cadsight_report.figures import ReplayFigures, SessionFigures
from cadsight_report.goals.targets import verdicts
from cadsight_report.labels import WRONG_BELOW_IOU
from cadsight_report.page import Illustrations, PageImage, render


def figures(**given):
    run = made.run(**given)
    return replace(run, targets=verdicts(run)).to_json()


DETECTOR = made.detector(
    precision=0.98765, recall=0.5, map50=0.96, map50_95=0.7, losses={"box_loss": 0.4, "object_loss": 0.2}
)


def test_a_name_from_the_run_is_escaped():
    page = render(figures(part="<script>alert(1)</script>"), Illustrations())
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_page_of_nothing_says_what_is_missing_and_that_nothing_was_measured():
    page = render(figures(missing=("no bag was replayed",)), Illustrations())
    assert "no bag was replayed" in page
    assert "There is no truth beside this run" in page
    assert page.count("badge unknown") == len(figures()["targets"])
    assert "badge bad" not in page


def test_the_table_of_the_detector_stands_beside_the_papers_nano():
    page = render(figures(detector=DETECTOR, truth=True), Illustrations())
    row = re.search(r"<tr><td>Precision</td>(.*?)</tr>", page).group(1)
    assert re.findall(r"\d\.\d+", row) == ["0.988", "0.964", "1.000"]
    row = re.search(r"<tr><td>Object loss</td>(.*?)</tr>", page).group(1)
    assert re.findall(r"\d\.\d+", row) == ["0.200", "0.117", "0.318"]


def test_a_replay_is_shown_with_how_many_of_the_live_frames_it_compared():
    verdict = ReplayVerdict(True, 48, live_results=50, only_live=2, only_replay=1)
    replay = ReplayFigures(LiveFigures(frames=49), verdict)
    page = render(figures(live=made.live_figures(dropped=0), replay=replay), Illustrations())
    assert "48 of 50 live frames were processed both times, 2 live alone and 1 in the replay alone." in page


def test_targets_are_listed_as_met_or_not():
    page = render(figures(detector=DETECTOR, truth=True), Illustrations())
    assert page.count("badge good") == 1  # mAP50
    assert page.count("badge bad") == 1  # mAP50:95
    assert "1 of 2 measured figures reach their target" in page


def test_a_session_without_truth_shows_the_agreement_alone():
    session = SessionFigures(
        images=5,
        accepted=4,
        rejected=1,
        rejected_by_reason={"colour_nothing": 1},
        iou_colour_vs_kinematic=0.97,
        mask_iou_colour_vs_kinematic=0.9,
        iou_colour_vs_kinematic_before_correction=0.91,
        seconds=2.0,
        hand_eye={
            "applied": False,
            "size_mm": 0.0,
            "size_deg": 0.0,
            "before_px": None,
            "after_px": None,
            "images": 0,
            "outliers": 0,
            "reason": "too few",
        },
    )
    page = render(figures(labels=made.labels(sessions={"train": session})), Illustrations())
    assert "Of 5 images 4 were kept and 1 rejected: 1 <code>colour_nothing</code>." in page
    assert "0.970" in page
    assert f"under {WRONG_BELOW_IOU} IoU" not in page
    assert "Normal error" not in page


def test_images_are_in_the_page_itself():
    image = PageImage("t1", "data:image/jpeg;base64,AAAA", "0.98, 2.1 deg")
    page = render(figures(), Illustrations(images=(image,)))
    assert '<img alt="t1" src="data:image/jpeg;base64,AAAA">' in page
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:|#)""", page)
    assert "http" not in page
