import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cadsight_core.camera import viewing_rotation
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose, angle_between, unit
from cadsight_core.imaging import crops
from cadsight_core.imaging.images import read_image
from cadsight_core.parts.part import Symmetry
from cadsight_core.running.progress import progress_to
from cadsight_core.storage.folders.live_report import Frame, LiveFigures, LiveReport, Replayed, ReplayVerdict, Seen
from cadsight_core.storage.json_text import without_nan
from cadsight_learning.evaluation.evaluate import evaluate_detector, evaluate_normals
from cadsight_learning.inference import Pipeline
from cadsight_learning.models import load_detector, load_regressor
from cadsight_report.build import STAGES, build_report
from cadsight_report.figures import read_figures
from cadsight_report.run.models import caption, constant_error_deg, infer_samples

LIVE = LiveFigures(
    frames=50, dropped=2, dropped_in_transport=0, wrong_stamps=0, latency_ms_p50=40.0, latency_ms_p99=60.0,
    overhead_ms_p50=12.0,
)  # fmt: skip
SEEN = Seen("bracket", 0.9, (0.0, 0.0, 1.0, 1.0), None)


@pytest.fixture(scope="module")
def reported(run_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reported") / "run"
    shutil.copytree(run_folder, folder)
    (folder / "live").mkdir()
    report = LiveReport(LIVE, tuple(Frame(i, i, i, 40.0 + i, 20.0, 5.0, (SEEN,)) for i in range(5)))
    (folder / "live" / "live.json").write_text(json.dumps(report.to_json()))
    replayed = Replayed(LiveReport(LiveFigures(frames=48), ()), ReplayVerdict(True, 48))
    (folder / "live" / "replay.json").write_text(json.dumps(replayed.to_json()))
    stages = []

    def progress(items, total, what):
        loops.setdefault(stages[-1] if stages else "", set()).add(what)
        return items

    loops: dict[str, set[str]] = {}
    with progress_to(progress):
        run = build_report(folder, stages.append)
    assert tuple(stages) == STAGES
    # Whatever takes long within a stage reports its progress.
    assert {"run read"} <= loops[""]
    assert {"images read", "colours compared", "features"} <= loops["sections"]
    assert {"inferring", "losses", "figures and intervals"} <= loops["detector"]
    assert {"crops", "inferring", "saliency"} <= loops["normals"]
    assert {"images inferred"} <= loops["images"]
    return run


@pytest.fixture(scope="module")
def figures(reported):
    return json.loads(reported.figures.read_text())


def test_every_key_of_the_report_stands_in_the_demos_page(figures):
    page = (Path(__file__).resolve().parents[3] / "docs" / "demo.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    documented, before = set(), ""
    for row in rows:
        for name in re.findall(r"`([^`]+)`", row):
            before = name.split(".")[0] or before
            documented.add(f"{before}{name}" if name.startswith(".") else name)
    free = {"seconds", "settings", "versions", "live", "replay"}  # by step, option, package; of live inference, some
    keys = {
        f"{key}.{inner}" if isinstance(value, dict) and key not in free else key
        for key, value in figures.items()
        for inner in (value if isinstance(value, dict) and value else [""])
    }
    documented |= {".".join(name.split(".")[:depth]) for name in documented for depth in (1, 2)}
    assert keys - documented == set()


@pytest.fixture(scope="module")
def page(reported):
    return reported.page.read_text()


def test_the_figures_of_the_models_are_those_of_the_test_session(reported, figures):
    test, train = (list(Dataset.open(reported.session(s).labelled).samples()) for s in ("test", "train"))
    expected = evaluate_detector(load_detector(reported.detector), test).to_json()
    assert figures["detector"]["against"] == "labels"
    assert figures["detector"]["images"] == 3
    for key in ("precision", "recall", "map50", "map50_95", "box_loss", "object_loss"):
        assert figures["detector"][key] == pytest.approx(expected[key])
    metrics = evaluate_normals(load_regressor(reported.normals), test)
    for key, value in metrics.figures.items():
        assert figures["normals"][key] == pytest.approx(value)
    constant = unit(sum(s.instances[0].normal for s in train))
    by_hand = [float(angle_between(s.instances[0].normal, constant)) for s in test]
    assert figures["normals"]["constant_deg"] == pytest.approx(sum(by_hand) / 3)


def test_errors_and_captions_are_up_to_the_symmetry_of_the_part(reported):
    test, train = (list(Dataset.open(reported.session(s).labelled).samples()) for s in ("test", "train"))
    posed = [
        replace(s, instances=tuple(replace(i, camera_from_part=Pose.identity()) for i in s.instances)) for s in test
    ]
    ball = {0: (Symmetry(axis=(0.0, 0.0, 1.0), order=0), Symmetry(axis=(1.0, 0.0, 0.0), order=0))}
    metrics = evaluate_normals(load_regressor(reported.normals), posed, ball)
    assert (metrics.mean_deg, metrics.symmetric) == pytest.approx((0, 3), abs=1e-4)
    assert constant_error_deg(posed, train, ball) == pytest.approx(0, abs=1e-4)
    assert constant_error_deg(posed, [], ball) is None
    (true,) = posed[0].instances
    found = [replace(true, normal=-true.normal, score=0.9)]
    assert caption(posed[0], found).endswith("normal off by 180.0 degrees")
    assert caption(posed[0], found, ball).endswith("normal off by 0.0 degrees")


def test_what_the_node_and_the_steps_wrote_is_in_the_figures(figures):
    assert figures["live"] == {**LIVE.to_json(), "detected": 5}
    assert figures["replay"] == {"equal": True, "compared": 48, "frames": 48, "differences": []}
    assert figures["seconds"].items() >= {"capture": 12.5, "train": 30.0}.items()
    assert "live" not in figures["seconds"]
    assert 0 < figures["seconds"]["report"] < 120
    assert figures["seconds_total"] == pytest.approx(sum(figures["seconds"].values()))
    assert figures["settings"] == {"seed": 7}
    verdicts = {t["key"]: t["met"] for t in figures["targets"]}
    assert verdicts["replay.equal"] is True
    assert verdicts["live.overhead_ms_p50"] is False
    assert verdicts["labels.wrong_kept"] is None


def test_the_report_is_read_as_it_was_written(reported, figures):
    assert without_nan(read_figures(reported.figures).to_json()) == figures


def test_a_report_of_another_form_is_named(reported, tmp_path):
    kept = json.loads(reported.figures.read_text())
    del kept["labels"]["sessions"]
    (tmp_path / "report.json").write_text(json.dumps(kept))
    with pytest.raises(CadsightError, match=r"report\.json has no usable 'sessions', expected what `cadsight report`"):
        read_figures(tmp_path / "report.json")


def test_the_distance_of_the_channels_is_that_of_the_images(figures):
    channels = figures["distances"]["channels"]
    assert set(channels) == {"red", "green", "blue"}
    assert figures["distances"]["mean"] == pytest.approx(sum(channels.values()) / 3)
    assert all(0 < v < 60 for v in channels.values())


def test_the_page_needs_nothing_else(page):
    links = re.findall(r"""\b(?:src|href|action|poster)\s*=\s*["']?([^"'\s>]+)""", page)
    links += re.findall(r"url\(([^)]+)", page)
    assert links
    assert [link for link in links if not link.startswith(("#", "data:"))] == []
    assert "http" not in page
    assert "@import" not in page
    assert "<script" not in page
    assert page.count("data:image/jpeg;base64,") == 3 + 3
    assert page.count("<svg") == 5  # curves of both models, angles, channels, latency; no truth: no label errors


def test_the_distance_of_features_names_the_network_that_gave_them(page, figures):
    features = figures["distances"]["features"]
    assert (features["pictures"], features["fid_biased"]) == ([4, 3], True)
    assert 0 < features["median"] <= features["largest"]
    assert features["extractor"].startswith("EfficientNet-Lite0")
    assert features["extractor"] in page
    assert "too large because" in page
    assert len(features["inception_score"]) == 2
    assert min(features["inception_score"]) >= 1
    assert "inception score, of each set alone" in page


def test_the_name_of_the_part_is_escaped(page):
    assert "&lt;part&gt;" in page
    assert "<part>" not in page


def test_a_run_without_truth_says_so(page, figures):
    assert figures["truth"] is False
    assert "There is no truth beside this run" in page


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("models/detector", "no detector was trained"),
        ("models/normals", "no regressor of normals was trained"),
        ("sessions/test", "no image of a test session was labelled, so the models are not evaluated"),
        ("live", "no live inference was recorded"),
        ("steps.json", "the time of the steps was not recorded"),
    ],
)
def test_a_missing_piece_is_said_and_the_rest_is_reported(reported, tmp_path, gone, sentence):
    folder = tmp_path / "run"
    shutil.copytree(reported.folder, folder)
    target = folder / gone
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    run = build_report(folder)
    assert sentence in run.page.read_text()
    assert sentence in json.loads(run.figures.read_text())["missing"]


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_that_is_no_run_is_refused(tmp_path, make):
    folder = tmp_path / "nothing"
    if make:
        folder.mkdir()
    with pytest.raises(CadsightError, match="expected a"):
        build_report(folder)


def test_a_half_written_piece_is_named(reported, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(reported.folder, folder)
    (folder / "live" / "live.json").write_text('{"frames": ')
    with pytest.raises(CadsightError, match=r"live\.json is no report of a live run"):
        build_report(folder)


def test_what_the_models_see_has_its_normal_in_the_cameras_frame(reported):
    samples = list(Dataset.open(reported.session("test").labelled).samples())
    detector = load_detector(reported.detector)
    regressor = load_regressor(reported.normals)
    # At a confidence at which even one epoch finds something.
    seen = infer_samples(Pipeline(detector, regressor, confidence=1e-6, max_detections=2), samples)
    assert all(1 <= len(found) <= 2 for found in seen)
    for sample, found in zip(samples, seen, strict=True):
        for instance in found:
            crop = crops.crop(read_image(sample.image), instance.box)
            x, y = crops.crop_box(instance.box, sample.size).centre
            normals, _ = regressor.predict(crop[None])
            expected = viewing_rotation(sample.camera, (x - 0.5, y - 0.5)) @ normals[0]
            assert instance.source == "model"
            assert instance.normal == pytest.approx(expected, abs=1e-5)
