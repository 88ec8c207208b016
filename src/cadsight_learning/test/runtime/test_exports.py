"""Exported networks: equal to torch's, of the weights that are there, whole or absent."""

import dataclasses
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cadsight_learning.runtime.exporting as exporting_module
import cadsight_learning.runtime.exports as exports_module
import numpy as np
import pytest
import torch
from cadsight_core.camera import ImageSize
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import angle_between
from cadsight_core.imaging.images import read_image
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.output_folder import MARK
from cadsight_learning.detection.detector import warm_up
from cadsight_learning.detection.factory import detector_of
from cadsight_learning.detection.ultralytics.yolo import YoloDetector
from cadsight_learning.models import exportable, exports_of, load_detector, load_regressor
from cadsight_learning.normals.torch_regressor import NormalRegressor, as_input
from cadsight_learning.options import REGRESSORS
from cadsight_learning.registry.card import ModelCard, load_card
from cadsight_learning.registry.store import save_model
from cadsight_learning.runtime import sessions as runtimes
from cadsight_learning.runtime.agreement import LARGEST_NORMAL_DEG, Agreement, agreement
from cadsight_learning.runtime.exporting import LARGEST_DIFFERENCE, export
from cadsight_learning.runtime.exports import ABOUT
from cadsight_learning.runtime.machine import has_bfloat16
from cadsight_learning.runtime.sessions import FORMATS, runtime_of

CPU = "cpu"
RUNTIMES_OF_BOTH = ("openvino", "openvino-bf16")
SHAPE = (64, 96)


def saved_detector(folder: Path, architecture: str = "yolo11n", seed: int = 0) -> Path:
    """A detector of random weights whose scores vary, so that it finds something."""
    torch.manual_seed(seed)
    detector = YoloDetector(architecture, ["block", "star"], 96)
    with torch.no_grad():
        for name, weight in detector.module.named_parameters():
            if "cv3" in name and len(weight) == 2:  # the last layer, of two classes
                torch.nn.init.normal_(weight, std=0.2)
        for layer in detector.module.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = 0.5
        for _ in range(3):  # without statistics nothing would reach the last layer
            detector.module.train()(torch.rand(8, 3, 128, 128))
    save_model(folder, ModelCard("detector", architecture, ("block", "star"), 96), detector.module.state_dict())
    return folder


def saved_regressor(folder: Path, architecture: str, seed: int = 0, images: np.ndarray | None = None) -> Path:
    torch.manual_seed(seed)
    regressor = NormalRegressor(architecture, 64)
    if regressor.module[-2].out_features == 4:
        torch.nn.init.normal_(regressor.module[-2].weight[3], std=0.02)
    save_model(folder, ModelCard("normals", architecture, (), 64), regressor.module.state_dict(), None, images)
    return folder


def made(folder: Path, kind: str, shape: tuple[int, int] = (64, 64)) -> Path:
    """The export of a model, made here: where it is missing a process of its own makes it, which takes longer."""
    return export(exports_of(folder, load_card(folder)), exportable(folder), kind, shape)


def crops() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("architecture", ["yolo11n", "yolo26n"])
def test_every_runtime_finds_the_boxes_that_torch_finds(architecture, tmp_path, block_samples):
    folder = saved_detector(tmp_path / "m", architecture)
    images = [read_image(s.image) for s in block_samples[:2]]
    expected = load_detector(folder, device="cpu").predict(images, 0.01)
    for runtime, kind in (("onnxruntime", "onnx"), ("openvino", "openvino")):
        made(folder, kind, SHAPE)
        detector = load_detector(folder, device="cpu", runtime=runtime)
        found = detector.predict(images, 0.01)
        assert detector.runtime == runtime
        assert [p.name for p in (folder / "exports").glob(f"{kind}-*")] == [f"{kind}-96x64"]
        for one, other in zip(expected, found, strict=True):
            assert len(one) == len(other) > 0
            for a, b in zip(one, other, strict=True):
                assert b.class_id == a.class_id
                assert b.score == pytest.approx(a.score, abs=1e-3)
                assert b.box.as_tuple() == pytest.approx(a.box.as_tuple(), abs=1e-3 * 96)


@pytest.mark.parametrize(("runtime", "kind"), [("onnxruntime", "onnx"), ("openvino", "openvino")])
def test_every_runtime_gives_the_evidence_that_torch_gives(runtime, kind, tmp_path, block_samples):
    folder = saved_detector(tmp_path / "m")
    images = [read_image(s.image) for s in block_samples[:2]]
    made(folder, kind, SHAPE)
    exported, torchs = load_detector(folder, device="cpu", runtime=runtime), load_detector(folder, device="cpu")
    for one, other in zip(exported.evidence(images, 0.01), torchs.evidence(images, 0.01), strict=True):
        assert len(one.boxes) == len(other.boxes) > 0
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)
        np.testing.assert_allclose(one.features, other.features, atol=1e-2)
        np.testing.assert_allclose(one.image_features, other.image_features, atol=1e-3)
    assert exported.features_sha256 == torchs.features_sha256 != ""


def test_an_export_of_before_there_were_features_gives_evidence_without_them(tmp_path, block_samples):
    folder = saved_detector(tmp_path / "m")
    image = read_image(block_samples[0].image)
    before = exportable(folder).network  # its one output is what an earlier version exported
    with_one_output = torch.nn.Sequential(before)
    exporting_module.export(exports_of(folder, load_card(folder)), with_one_output, "onnx", SHAPE)
    detector = load_detector(folder, device="cpu", runtime="onnxruntime")
    (seen,) = detector.evidence([image], 0.01)
    (found,) = detector.predict([image], 0.01, 100)
    assert str(seen.instances(ImageSize(image.shape[1], image.shape[0]), 0.01, 100)) == str(found)
    assert seen.features.shape == (len(found), 0)
    assert seen.image_features.shape == (0,)
    assert detector.features_sha256 == ""


@pytest.mark.skipif(not has_bfloat16(), reason="this processor does not multiply bfloat16")
def test_bfloat16_moves_scores_by_hundredths_and_boxes_by_parts_of_a_pixel(tmp_path, block_samples):
    folder = saved_detector(tmp_path / "m")
    path = made(folder, "openvino", SHAPE)
    image = read_image(block_samples[0].image)[: SHAPE[0], : SHAPE[1]].transpose(2, 0, 1)[None] / np.float32(255)
    exact, near = (runtimes.open_session(r, path, 1)(image)[0] for r in ("openvino", "openvino-bf16"))
    assert 0 < np.abs(near[4:] - exact[4:]).max() < 0.05
    assert np.median(np.abs(near[:4] - exact[:4])) < 0.25


@pytest.mark.parametrize(
    ("runtime", "architecture"),
    [*(("onnxruntime", a) for a in REGRESSORS), ("openvino", "compact"), ("openvino", "mobilenet_v3_small")],
)
def test_every_network_gives_normals_and_their_covariances_as_torch_does(runtime, architecture, tmp_path):
    folder = saved_regressor(tmp_path / "m", architecture)
    made(folder, FORMATS[runtime])
    torch_regressor = load_regressor(folder, device="cpu")
    normals, covariances = torch_regressor.predict(crops())
    regressor = load_regressor(folder, device="cpu", runtime=runtime)
    found, found_covariances = regressor.predict(crops())
    assert regressor.runtime == runtime
    assert found == pytest.approx(normals, abs=1e-3)
    assert found_covariances == pytest.approx(covariances, abs=1e-3)
    assert regressor.predict(crops()[:0])[0].shape == (0, 3)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_network_answers_several_threads_at_once(runtime, tmp_path):
    folder = saved_regressor(tmp_path / "m", "compact")
    made(folder, FORMATS[runtime])
    regressor = load_regressor(folder, device="cpu", runtime=runtime)
    together = threading.Barrier(4)

    def ask(_: int) -> list[np.ndarray]:
        together.wait()
        return [regressor.predict(crops())[0] for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        answers = [normals for found in pool.map(ask, range(4)) for normals in found]
    assert len(answers) == 200
    for normals in answers:
        assert normals == pytest.approx(answers[0], abs=1e-6)


@pytest.mark.skipif(not has_bfloat16(), reason="this processor does not multiply bfloat16")
def test_auto_takes_bfloat16_only_where_it_agrees_on_validation_images_and_keeps_what_was_measured(tmp_path):
    folder = saved_regressor(tmp_path / "m", "compact", images=crops())
    made(folder, "openvino")
    regressor = load_regressor(folder, device="cpu", runtime="auto")
    regressor.predict(crops())
    path = folder / "exports" / "openvino-64x64" / ABOUT
    kept = json.loads(path.read_text())["bfloat16"]
    exact, near = (load_regressor(folder, device="cpu", runtime=r).predict(crops())[0] for r in RUNTIMES_OF_BOTH)
    assert kept["normal_deg"] == pytest.approx(float(angle_between(exact, near).max()), abs=1e-3)
    assert kept["compared"] == len(crops())
    assert kept["agrees"] == (kept["normal_deg"] <= LARGEST_NORMAL_DEG)
    assert regressor.runtime == ("openvino-bf16" if kept["agrees"] else "openvino")
    # What was kept decides at the next start.
    for agrees, degrees in ((True, 0.01), (False, 3.0)):
        about = json.loads(path.read_text())
        path.write_text(json.dumps({**about, "bfloat16": {**kept, "normal_deg": degrees, "agrees": agrees}}))
        regressor = load_regressor(folder, device="cpu", runtime="auto")
        regressor.predict(crops())
        assert regressor.runtime == ("openvino-bf16" if agrees else "openvino")


@pytest.mark.skipif(not has_bfloat16(), reason="this processor does not multiply bfloat16")
def test_auto_takes_float32_for_a_model_without_validation_images_and_a_name_takes_what_it_says(tmp_path, caplog):
    folder = saved_regressor(tmp_path / "m", "compact")
    made(folder, "openvino")
    with caplog.at_level(logging.INFO):
        regressor = load_regressor(folder, device="cpu", runtime="auto")
        regressor.predict(crops())
    assert regressor.runtime == "openvino"
    assert "bfloat16 was compared on no validation image, so compact runs in float32" in caplog.text
    named = load_regressor(folder, device="cpu", runtime="openvino-bf16")
    named.predict(crops())
    assert named.runtime == "openvino-bf16"


@pytest.mark.parametrize("architecture", ["yolo11n", "yolo26n"])
def test_a_network_agrees_with_itself_and_not_with_one_that_moves_boxes_scores_or_normals(architecture, tmp_path):
    folder = saved_detector(tmp_path / "m", architecture)
    path = made(folder, "openvino", SHAPE)
    session = runtimes.open_session("openvino", path, 1)
    images = [np.random.default_rng(n).uniform(size=(1, 3, *SHAPE)).astype(np.float32) for n in range(2)]
    raised = np.zeros((6, 1), np.float32)
    raised[4:] = 0.5  # so that some are sure

    def moved(box_px: float, score: float) -> Agreement:
        by = np.zeros_like(raised)
        by[0], by[5] = box_px, score
        return agreement(
            lambda image: session(image) + raised,
            lambda image: session(image) + raised + by,
            images,
            "detector",
        )

    assert moved(0.0, 0.0).compared > 0
    assert moved(0.0, 0.0).agrees
    assert moved(0.2, 0.01).agrees
    assert not moved(0.3, 0.0).agrees
    assert not moved(0.0, 0.03).agrees
    assert not agreement(session, session, [], "detector").agrees


def test_a_concentration_is_exported_with_its_normal(tmp_path):
    folder = saved_regressor(tmp_path / "m", "mobilenet_v3_small")
    regressor = load_regressor(folder, device="cpu")
    path = made(folder, "onnx")
    inputs = as_input(crops()[:1], 64)
    with torch.inference_mode():
        expected = regressor.module.eval()(inputs).numpy()
    found = runtimes.open_session("onnxruntime", path, 1)(inputs.contiguous().numpy())
    assert expected.shape == found.shape == (1, 4)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    about = json.loads((path.parent / ABOUT).read_text())
    assert about["input"] == [1, 3, 64, 64]
    assert about["colours"] == [-1, 1]
    assert 0 <= about["difference"] < LARGEST_DIFFERENCE


def test_an_export_is_used_again_and_made_anew_when_the_weights_change(tmp_path):
    folder = saved_regressor(tmp_path / "m", "compact")
    path = made(folder, "onnx")
    first, written = path.read_bytes(), path.stat().st_mtime_ns
    load_regressor(folder, device="cpu", runtime="onnxruntime").predict(crops())
    assert path.stat().st_mtime_ns == written
    saved_regressor(folder, "compact", seed=1)
    assert exports_of(folder, load_card(folder)).find("onnx", (64, 64)) is None
    found, _ = load_regressor(folder, device="cpu", runtime="onnxruntime").predict(crops())
    assert path.read_bytes() != first
    assert found == pytest.approx(load_regressor(folder, device="cpu").predict(crops())[0], abs=1e-3)


@pytest.mark.parametrize("broken", ["not JSON", "[]", '{"format": "of another"}'])
def test_an_export_whose_json_is_broken_is_none(broken, tmp_path):
    folder = saved_regressor(tmp_path / "m", "compact")
    exports = exports_of(folder, load_card(folder))
    path = export(exports, exportable(folder), "onnx", (64, 64))
    assert exports.find("onnx", (64, 64)) == path
    (path.parent / ABOUT).write_text(broken)
    assert exports.find("onnx", (64, 64)) is None


@pytest.mark.parametrize("name", ["model.xml", "model.bin", ABOUT])
def test_an_export_that_ends_before_any_of_its_files_leaves_the_old_one(name, tmp_path, monkeypatch):
    folder = saved_regressor(tmp_path / "m", "compact")
    exports = exports_of(folder, load_card(folder))
    network = exportable(folder)
    old = export(exports, network, "openvino", (64, 64))

    def killed(path, data):
        if path.name == name:
            raise KeyboardInterrupt
        write_atomically(path, data)

    changed = dataclasses.replace(exports, weights_sha256="of others")
    monkeypatch.setattr(exports_module, "write_atomically", killed)
    with pytest.raises(KeyboardInterrupt):
        export(changed, network, "openvino", (64, 64))
    monkeypatch.undo()
    assert changed.find("openvino", (64, 64)) is None
    assert exports.find("openvino", (64, 64)) == old
    assert export(changed, network, "openvino", (64, 64)) == changed.find("openvino", (64, 64)) == old
    assert exports.find("openvino", (64, 64)) is None


@pytest.mark.parametrize("foreign", ["model.bin", "notes.txt"])
def test_what_others_have_in_an_exports_folder_is_left_and_the_spare_one_taken(foreign, tmp_path):
    folder = saved_regressor(tmp_path / "m", "compact")
    network = exportable(folder)
    beside = exports_of(folder, load_card(folder))
    theirs = beside.folder / "openvino-64x64" / foreign
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    with pytest.raises(CadsightError, match=rf"no earlier result of ours, such as {foreign}"):
        export(dataclasses.replace(beside, spare=None), network, "openvino", (64, 64))
    made = export(dataclasses.replace(beside, spare=tmp_path / "spare"), network, "openvino", (64, 64))
    assert made == tmp_path / "spare" / "openvino-64x64" / "model.xml"
    assert [path.name for path in theirs.parent.iterdir()] == [foreign]


def test_an_export_of_an_earlier_version_which_has_no_mark_is_replaced(tmp_path):
    folder = saved_regressor(tmp_path / "m", "compact")
    network = exportable(folder)
    exports = dataclasses.replace(exports_of(folder, load_card(folder)), weights_sha256="of others", spare=None)
    made = export(exports, network, "openvino", (64, 64))
    (made.parent / MARK).unlink()
    now = exports_of(folder, load_card(folder))
    assert now.find("openvino", (64, 64)) is None
    assert export(now, network, "openvino", (64, 64)) == made


def test_a_network_that_differs_from_torchs_is_refused_and_nothing_is_written(tmp_path, monkeypatch):
    folder = saved_regressor(tmp_path / "m", "compact")
    exports = exports_of(folder, load_card(folder))
    opened = exporting_module.open_session

    def askew(*args):
        session = opened(*args)
        return runtimes.Session(lambda inputs, most: [one + 0.002 for one in session.run(inputs, most)])

    monkeypatch.setattr(exporting_module, "open_session", askew)
    with pytest.raises(CadsightError, match=r"exported to onnx differs from torch's by 0.002, expected at most 0.001"):
        export(exports, exportable(folder), "onnx", (64, 64))
    assert not (folder / "exports").exists()


def test_auto_takes_bfloat16_where_the_processor_multiplies_it_and_elsewhere_its_name_is_refused(monkeypatch):
    monkeypatch.setattr(runtimes, "has_bfloat16", lambda: True)
    assert runtime_of("auto", CPU) == runtime_of("openvino-bf16", CPU) == "openvino-bf16"
    monkeypatch.setattr(runtimes, "has_bfloat16", lambda: False)
    assert runtime_of("auto", CPU) == "openvino"
    with pytest.raises(CadsightError, match="openvino-bf16 and this processor does not multiply bfloat16"):
        runtime_of("openvino-bf16", CPU)


def test_a_runtime_that_is_not_installed_is_reported_in_one_sentence_and_auto_takes_the_next(monkeypatch):
    there = runtimes._is_there
    monkeypatch.setattr(runtimes, "_is_there", lambda name: not name.startswith("openvino") and there(name))
    with pytest.raises(CadsightError, match="the runtime openvino is not installed, expected what make setup installs"):
        runtime_of("openvino", CPU)
    assert runtime_of("auto", CPU) == "onnxruntime"
    monkeypatch.setattr(runtimes, "_is_there", lambda name: name == "torch")
    assert runtime_of("auto", CPU) == "torch"


def test_on_a_gpu_torch_stays():
    assert runtime_of("auto", "cuda:0") == "torch"
    with pytest.raises(CadsightError, match="the runtime is 'openvino' and the device cuda:0, expected torch"):
        runtime_of("openvino", "cuda:0")


def test_an_unknown_runtime_is_refused():
    with pytest.raises(CadsightError, match="the runtime is 'tensorrt', expected one of auto, openvino-bf16, openvino"):
        runtime_of("tensorrt", CPU)


def test_a_detector_that_cannot_be_exported_is_refused_and_auto_stays_with_torch(tmp_path, caplog):
    torch.manual_seed(0)
    detector = detector_of("fasterrcnn_resnet50_fpn", ("block",), 64)
    card = ModelCard("detector", "fasterrcnn_resnet50_fpn", ("block",), 64)
    save_model(tmp_path / "m", card, detector.module.state_dict())
    with pytest.raises(CadsightError, match="fasterrcnn_resnet50_fpn cannot be exported, expected a YOLO detector"):
        load_detector(tmp_path / "m", device="cpu", runtime="onnxruntime")
    with caplog.at_level(logging.INFO):
        assert load_detector(tmp_path / "m", device="cpu", runtime="auto").runtime == "torch"
    assert "torch runs fasterrcnn_resnet50_fpn, which is not exported" in caplog.text


def test_an_export_that_finds_no_place_beside_the_weights_is_kept_in_the_users_cache(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = saved_regressor(tmp_path / "m", "compact")
    (folder / "exports").write_text("no folder")
    with caplog.at_level(logging.INFO):
        load_regressor(folder, device="cpu", runtime="onnxruntime").predict(crops())
        load_regressor(folder, device="cpu", runtime="onnxruntime").predict(crops())
    exporting, exported = caplog.messages  # once, though it was loaded twice
    assert exporting == "exporting compact to onnx for 64 x 64 pixels, once for these weights"
    assert exported.startswith("exported compact in ")
    path = exports_of(folder, load_card(folder)).find("onnx", (64, 64))
    assert path.is_relative_to(tmp_path / "cache" / "cadsight" / "exports")
    saved_regressor(folder, "compact", seed=1)
    assert exports_of(folder, load_card(folder)).find("onnx", (64, 64)) is None


def test_an_export_that_finds_no_place_at_all_leaves_torch_with_auto_and_is_refused_by_name(
    tmp_path, caplog, monkeypatch
):
    folder = saved_regressor(tmp_path / "m", "compact")
    (folder / "exports").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "exports"))
    regressor = load_regressor(folder, device="cpu", runtime="auto")
    with caplog.at_level(logging.WARNING):
        found, _ = regressor.predict(crops())
    assert regressor.runtime == "torch"
    assert "exports is no folder, expected one" in caplog.text
    assert found == pytest.approx(load_regressor(folder, device="cpu").predict(crops())[0], abs=1e-5)
    with pytest.raises(CadsightError, match="exports is no folder, expected one"):
        load_regressor(folder, device="cpu", runtime="openvino").predict(crops())


def test_images_of_another_shape_have_an_export_of_their_own(tmp_path):
    folder = saved_detector(tmp_path / "m")
    made(folder, "onnx", SHAPE)
    detector = load_detector(folder, device="cpu", runtime="onnxruntime")
    warm_up(detector, 96, 64)
    detector.predict([np.zeros((96, 64, 3), np.uint8)])
    assert sorted(p.name for p in (folder / "exports").iterdir()) == ["onnx-64x96", "onnx-96x64"]


def test_a_file_that_is_no_network_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(runtimes, "has_bfloat16", lambda: True)
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    for runtime in FORMATS:
        with pytest.raises(CadsightError, match=f"{runtime} could not open the network .*model.onnx"):
            runtimes.open_session(runtime, tmp_path / "model.onnx")
