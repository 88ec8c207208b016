"""The papers' experiments at their smallest, with real drawing and training."""

import json
import re
from pathlib import Path

import pytest
import torch
from cadsight_cli.main import main
from cadsight_core.running.parallel import threads_each
from cadsight_experiments.papers import plans
from cadsight_experiments.papers.plans import Material
from cadsight_experiments.papers.scales import scale_of

ROOT = Path(__file__).resolve().parents[5]
RECIPE = """\
kind: {kind}
seed: {seed}
parts: [{root}/config/parts/bracket.yaml]
image: {{width: 96, height: 64}}
"""


def written(folder: Path, kind: str, seed: int) -> Path:
    recipe = folder / f"{kind}{seed}.yaml"
    recipe.write_text(RECIPE.format(kind=kind, seed=seed, root=ROOT))
    return recipe


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """`real` and `test` as a user has them, and the recipes of the synthetic ones."""
    folder = tmp_path_factory.mktemp("sets")
    for name, seed in (("real", 1), ("test", 2)):
        words = ["synthesize", str(written(folder, "views", seed)), "--count", "8", "--engine", "raster"]
        assert main([*words, "--formats", "none", "--out", str(folder / name)]) == 0
    for kind in ("views", "weather"):
        written(folder, kind, 0)
    return folder


EXPERIMENTS = {
    "comillas": ("views", ["real-nano", "synthetic-nano"]),
    "morato": ("views", ["cad0-real4", "cad6-real0", "cad6-real4"]),
    "rudenko": ("weather", ["rendered", "rendered-and-augmented"]),
    "transfer": ("views", ["synthetic", "real", "real-fewer-epochs", "synthetic-then-real"]),
    "mixing": ("views", ["synthetic0", "synthetic100"]),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_draws_trains_evaluates_and_tells_and_does_it_once(sets, tmp_path, name, capsys):
    kind, expected = EXPERIMENTS[name]
    out = tmp_path / "out"
    words = ["experiment", name, "--test", str(sets / "test"), "--recipe", str(sets / f"{kind}0.yaml")]
    words += ["--scale", "smoke", "--out", str(out)]
    if name != "rudenko":
        words += ["--real", str(sets / "real")]
    if name == "mixing":
        (tmp_path / "bracket.yaml").write_text("{name: bracket, mesh: bracket.stl, symmetry: [{axis: [0, 0, 1]}]}")
        words += ["--part", str(tmp_path / "bracket.yaml")]
    assert main(words) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[-2:] == [str(out / "comparison.json"), str(out / "report.html")]
    comparison = json.loads((out / "comparison.json").read_text())
    assert [one["name"] for one in comparison["sets"]] == expected
    assert all(len(one["trials"]) == 1 for one in comparison["sets"])
    assert comparison["symmetry"] == (["bracket"] if name == "mixing" else [])
    assert ("median_deg" in comparison["sets"][0]["mean"]) == (name in ("comillas", "transfer", "mixing"))
    page = (out / "report.html").read_text()
    assert len(page) > 10_000
    assert ("images from CAD</text>" in page) == (name == "morato")
    assert ("normals up to the symmetry of bracket" in page) == (name == "mixing")
    trials = {path: path.stat().st_mtime_ns for path in out.rglob("trial.json")}
    assert len(trials) == len(expected)
    if name == "transfer":
        first, after = (
            json.loads((out / s / "0/detector/model.json").read_text()) for s in ("real", "synthetic-then-real")
        )
        assert "base checkpoint" in first["started_from"]
        assert str(out / "synthetic/0/detector/weights.pt") in after["started_from"]
    assert main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("trial.json")} == trials


def test_a_step_beyond_the_images_that_there_are_takes_all_of_them():
    plan = plans.morato(Material("real", "cad", "test"), scale_of("cpu"), most_real=10, most_synthetic=70)
    counts = [(one.facts["cad"], one.facts["real"], one.counts) for one in plan.sets]
    assert counts == [
        (0, 5, (5,)), (0, 10, (10,)),
        (60, 0, (60,)), (60, 5, (60, 5)), (60, 10, (60, 10)),
        (70, 0, (70,)), (70, 5, (70, 5)), (70, 10, (70, 10)),
    ]  # fmt: skip
    assert [one.name for one in plan.sets][:3] == ["cad0-real5", "cad0-real10", "cad60-real0"]


@pytest.fixture
def one_thread():
    """As each of two workers has on two cores: sums over several threads differ in their last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(threads_each(2) != 1, reason="two workers have several threads each here")
def test_trainings_in_two_processes_make_the_same_table(sets, tmp_path, capsys, one_thread):
    tables = []
    for workers in "12":
        out = tmp_path / workers
        words = ["experiment", "sets", "--set", f"all={sets}/real", "--set", f"few={sets}/real:4", "--seeds", "1"]
        words += ["--test", str(sets / "test"), "--no-normals", "--detector", "epochs=1", "--detector", "image_size=64"]
        assert main([*words, "--detector", "batch=2", "--workers", workers, "--out", str(out)]) == 0
        tables.append(json.loads((out / "comparison.json").read_text()))
        assert (out / "report.html").is_file()
    assert [one["trials"] for one in tables[0]["sets"]] == [one["trials"] for one in tables[1]["sets"]]
    assert "trainings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["comillas"], "the experiment lacks --test, expected it, or --run with a run"),
        (["comillas", "--run", "nowhere"], "nowhere/sessions/test/labelled does not exist, expected a run that"),
        (["morato", "--test", "TEST"], "the experiment lacks --real, expected it, or --run"),
        (["mixing", "--scale", "huge"], "the scale is 'huge', expected one of smoke, cpu, paper"),
        (["sets", "--test", "TEST", "--set", "few=REAL:10"], "10 images are to be taken of REAL"),
        (["transfer", "--test", "TEST", "--real", "REAL", "--synthetic", "REAL", "--detector", "epoch=3"],
         "--detector has the unknown key 'epoch'"),
        (["transfer", "--test", "TEST", "--real", "TEST", "--synthetic", "TEST", "--scale", "smoke"],
         "expected images that training never saw"),
        (["mixing", "--test", "TEST", "--real", "REAL", "--part", "ROD"],
         "the part rod is no class of the data, expected one of: bracket"),
        (["sets", "--set", "real=REAL", "--test", "TEST", "--no-normals", "--part", "ROD"],
         "--part was given and does nothing with --no-normals"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_sentence(sets, tmp_path, words, sentence, capsys):
    (sets / "rod.yaml").write_text("{name: rod, mesh: rod.stl}")
    places = {"TEST": str(sets / "test"), "REAL": str(sets / "real"), "ROD": str(sets / "rod.yaml")}
    given = [re.sub("TEST|REAL|ROD", lambda found: places[found[0]], word) for word in words]
    assert main(["experiment", *given, "--out", str(tmp_path / "out")]) == 2
    assert sentence.replace("REAL", places["REAL"]) in capsys.readouterr().err


def test_strategies_are_compared_once_and_the_page_is_made_again(sets, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["experiment", "eversberg", "--pool", str(sets / "real"), "--test", str(sets / "test"), "--scale", "smoke"]
    words += ["--strategies", "random", "entropy", "--cycle-strategy", "margin", "--out", str(out)]
    words += ["--detector", "image_size=64"]
    assert main(words) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-2:] == [str(out / "active.json"), str(out / "report.html")]
    found = json.loads((out / "active.json").read_text())
    assert {(r["strategy"], r["cycle"], r["images"]) for r in found["results"]} == {
        ("random", 0, 2), ("random", 0, 4), ("entropy", 0, 2), ("entropy", 0, 4), ("margin", 1, 2), ("margin", 2, 4),
    }  # fmt: skip
    assert found["detector"]["image_size"] == 64
    before = {path: path.stat().st_mtime_ns for path in out.glob("trainings/*/trial.json")}
    (out / "report.html").unlink()
    assert main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("trainings/*/trial.json")} == before
    assert (out / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--strategies", "random"], "the strategies are random, expected each once, and random and entropy among"),
        (["--strategies", "random", "entropy", "best"], "expected one of random, margin"),
        (["--scale", "large"], "the scale is 'large', expected one of smoke, cpu, paper"),
        (["--detector", "family=faster-rcnn"], "expected --base or --synthetic beside faster-rcnn"),
        (["--base", "nowhere"], "there is no detector in nowhere, expected the folder of one"),
    ],
)
def test_a_comparison_of_strategies_that_cannot_be_made_is_refused_before_a_training(
    sets, tmp_path, words, sentence, capsys
):
    given = ["experiment", "eversberg", "--pool", str(sets / "real"), "--test", str(sets / "test")]
    assert main([*given, *words, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert not (tmp_path / "out").exists()
