"""`cadsight benchmark`: the figures of a run, and the speed of each stage on this machine."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cadsight_cli.arguments.earlier import add_earlier
from cadsight_cli.arguments.types import COUNT, FRACTION, SEED, number, text

if TYPE_CHECKING:
    from cadsight_report.figures import Verdict

    from cadsight_cli.json_output import JsonOutput

_RUN = "runs/demo"


@dataclass(frozen=True)
class _Option:
    """One option of a benchmark; what it leaves out, the benchmark's own default says."""

    flag: str
    sentence: str
    type: Callable[[str], Any] = COUNT
    choices: tuple[str, ...] | None = None
    earlier: str = ""


@dataclass(frozen=True)
class _Benchmark:
    """What can be measured: how, and the options that it has for itself."""

    sentence: str
    run: Callable[[JsonOutput, dict[str, Any]], int]
    options: tuple[_Option, ...] = ()


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "benchmark",
        help="print the figures of a run and the speed of each stage",
        description="Measure on this machine. It is no test: nothing fails for being slow. Without a name it is `run`.",
    )
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, benchmark in _BENCHMARKS.items():
        one = kinds.add_parser(name, help=benchmark.sentence, description=benchmark.sentence)
        for option in benchmark.options:
            words: dict[str, Any] = {"choices": option.choices} if option.choices else {"type": option.type}
            if not option.choices:
                words["metavar"] = "N" if option.type is COUNT else option.flag.upper().replace("-", "_")
            added = one.add_argument(
                f"--{option.flag}", dest=f"own_{option.flag.replace('-', '_')}", help=option.sentence, **words
            )
            if option.earlier:
                add_earlier(one, f"--{option.earlier}", added)
        one.add_argument("--json", metavar="FILE", help="write all of it there")
        one.set_defaults(run=run)
    parser.default_action = "run"


def run(args: argparse.Namespace) -> int:
    from cadsight_cli.json_output import JsonOutput

    own = {name.removeprefix("own_"): value for name, value in vars(args).items() if name.startswith("own_")}
    given = {name: value for name, value in own.items() if value is not None}
    return _BENCHMARKS[args.what].run(JsonOutput(args.json, "speeds", "versions"), given)


def _measured(name: str) -> Callable[[JsonOutput, dict[str, Any]], int]:
    """Runs ``module:Class`` of `cadsight_cli.benchmarks`: ``Class(**given).run(show)`` shows and returns the speeds."""

    def run(output: JsonOutput, given: dict[str, Any]) -> int:
        from cadsight_report.origin import versions

        module, _, benchmark = name.partition(":")
        kind = getattr(importlib.import_module(f"cadsight_cli.benchmarks.{module}"), benchmark)
        output.write({"speeds": kind(**given).run(_print_speeds), "versions": versions()}, indent=2)
        return 0

    return run


def _run_stages(output: JsonOutput, given: dict[str, Any]) -> int:
    import os
    import signal
    import tempfile
    from concurrent.futures import ProcessPoolExecutor
    from dataclasses import asdict
    from functools import partial
    from multiprocessing import get_context
    from pathlib import Path

    from cadsight_core.errors import CadsightError
    from cadsight_core.storage.folders.run_folder import RunFolder
    from cadsight_report.figures import read_figures
    from cadsight_report.origin import versions
    from cadsight_ros.domains import own_domain
    from cadsight_ros.resources import resolve

    from cadsight_cli.benchmarks.live import stages as benchmark

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("ROS_DOMAIN_ID", str(own_domain()))
    run_folder = given.get("run", _RUN)
    folder = RunFolder(Path(run_folder).resolve())
    if not folder.figures.exists():
        raise CadsightError(f"{folder.figures} is missing, expected a run that `cadsight demo` has finished")
    targets = read_figures(folder.figures).targets
    config = Path(given["config"]) if "config" in given else resolve("package://cadsight/config/workcell.yaml")
    _print_targets(targets)
    speeds: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="cadsight_benchmark_") as name:
        scratch = Path(name)
        stages = {
            "camera": partial(benchmark.camera, config),
            "capture": partial(benchmark.capture, config, scratch),
            "labelling": partial(benchmark.labelling, config, scratch / "speed"),
            "training": partial(benchmark.training, config, folder, scratch),
            "live": partial(benchmark.live, config, folder, scratch / "live"),
        }
        for stage, measure in stages.items():
            # A process each: none finds what another has loaded, and Mesa's LLVM and torch do not share one.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                speeds[stage] = pool.submit(measure).result()
            _print_speeds(stage, speeds[stage])
    evaluated = [asdict(one) for one in targets]
    output.write({"run": str(run_folder), "targets": evaluated, "speeds": speeds, "versions": versions()}, indent=2)
    return 0


def _print_targets(targets: Sequence[Verdict]) -> None:
    words = {True: "met", False: "NOT met", None: "not measured"}
    for one in targets:
        formatted = f"{one.value:.4g}" if isinstance(one.value, float) else str(one.value)
        limit = f"{one.relation} {one.limit} {one.unit}".strip()
        print(f"{one.what:<62} {formatted:>9}   {limit:<22} {words[one.met]}")


def _print_speeds(stage: str, speeds: dict[str, Any]) -> None:
    print(f"{stage}: " + ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in speeds.items()))


_IMAGES = _Option("images", "images to train on (64)", earlier="pictures")
_BENCHMARKS = {
    "run": _Benchmark(
        "the figures that a run is evaluated on, and the simulated camera, capturing, labelling, training and the live "
        "look, each with the run's images and models",
        _run_stages,
        (
            _Option("run", f"folder of the run ({_RUN})", text),
            _Option("config", "parameter file of all nodes (config/workcell.yaml)", text),
        ),
    ),
    "synthesis": _Benchmark(
        "how fast synthetic images are drawn",
        _measured("synthesis:SynthesisBenchmark"),
        (_Option("images", "images of our engine (12)", earlier="pictures"),),
    ),
    "evaluation": _Benchmark(
        "how fast detections are evaluated",
        _measured("learning.evaluation:EvaluationBenchmark"),
        (_Option("boxes", "boxes (10000)"), _Option("classes", "classes (5)")),
    ),
    "labels": _Benchmark(
        "how fast a large COCO set is read and checked beside pycocotools",
        _measured("labels:LabelsBenchmark"),
        (_Option("images", "images, ten boxes each (100000)", earlier="pictures"),),
    ),
    "training": _Benchmark(
        "what a detector's training costs beside calling ultralytics or torchvision directly with the same settings",
        _measured("learning.training:TrainingBenchmark"),
        (
            _Option("family", "family of the network (yolo11)", text),
            _IMAGES,
            _Option("image-size", "longer side of an image as the network sees it (160)"),
            _Option("batch", "images a step (8)"),
            _Option("epochs", "epochs of each training that count (3)"),
            _Option("rounds", "trainings of each kind (2)"),
            _Option("device", "where to compute (auto)", text),
        ),
    ),
    "inference": _Benchmark(
        "how many images a second each runtime processes",
        _measured("learning.inference:InferenceBenchmark"),
        (
            _Option("model", "folder of a detector (YOLO11 nano, untrained)", text),
            _Option("image-size", "longer side of an image as the network sees it (640)"),
            _Option("runs", "looks of each runtime (20)"),
            _Option("threads", "threads of a look (torch's own)"),
            _Option("data", "labelled images to evaluate each runtime on", text),
            _Option("split", "only this split of --data", choices=("train", "valid", "test")),
        ),
    ),
    "neighbours": _Benchmark(
        "how quick training and looking are beside other work",
        _measured("live.neighbours:NeighboursBenchmark"),
        (
            _IMAGES,
            _Option("image-size", "longer side of an image as the network sees it in training (320)"),
            _Option("batch", "images a step (16)"),
            _Option("epochs", "epochs that count (2)"),
            _Option("runs", "looks (200)"),
        ),
    ),
    "calibration": _Benchmark(
        "how near a hand-eye calibration comes to a simulated cell's truth, and whether a knocked camera is told",
        _measured("calibration:CalibrationBenchmark"),
        (
            _Option("seeds", "cells (10)"),
            _Option("poses", "poses of a calibration (15)"),
            _Option("checks", "checks of each cell, of each kind (10)"),
        ),
    ),
    "gate": _Benchmark(
        "how often a gate serves a model that is no better",
        _measured("learning.gate:GateBenchmark"),
        (_Option("trials", "pairs of models of each kind (200)"), _Option("images", "held-out images (120)")),
    ),
    "holding": _Benchmark(
        "how often the check that labels hold refuses planted changes of geometry, and of look",
        _measured("holding:HoldingBenchmark"),
        (
            _Option("data", "labelled images with masks, such as `cadsight synthesize` draws", text),
            _Option("crops", "objects (200)"),
            _Option("seed", "of the changes (0)", SEED),
        ),
    ),
    "selection": _Benchmark(
        "how long each strategy takes to choose images of a large pool",
        _measured("loop.selection:SelectionBenchmark"),
        (
            _Option("images", "images to choose from (1000000)"),
            _Option("features", "features of each image (256)"),
            _Option("k", "images to choose (100)"),
        ),
    ),
    "start": _Benchmark(
        "how long the perception node takes to its first result",
        _measured("live.start:StartBenchmark"),
        (_Option("runs", "starts (5)"),),
    ),
    "shift": _Benchmark(
        "how often a shift of the input is alarmed where there is none, and how soon where there is one",
        _measured("loop.shift:ShiftBenchmark"),
        (
            _Option("windows", "windows of 50 images in which nothing changes (3000)"),
            _Option("deployments", "cells over which the windows are spread (20)"),
            _Option("trials", "cells with a switched lamp, and with a new part (20)"),
            _Option("calibration", "images that say what is usual (400)"),
        ),
    ),
    "swaps": _Benchmark(
        "what swaps of the served models cost the images that come meanwhile",
        _measured("live.swaps:SwapsBenchmark"),
        (
            _Option("frames", "images that are inferred (1000)"),
            _Option("swaps", "new detectors that are served (5)"),
            _Option("beside", "what runs meanwhile (nothing)", choices=("nothing", "training")),
        ),
    ),
    "motions": _Benchmark(
        "how many motions of the simulated arm end well while faults come at random",
        _measured("motions:MotionsBenchmark"),
        (
            _Option("count", "motions (500)"),
            _Option("seed", "decides goals and faults (1)"),
            _Option("fault-fraction", "fraction of the motions with a fault (0.3)", FRACTION),
        ),
    ),
    "approach": _Benchmark(
        "how near the simulated arm comes to where its tool should stand before parts on a table",
        _measured("approach:ApproachBenchmark"),
        (
            _Option("count", "approaches (100)"),
            _Option("seed", "decides cell, drops and light (1)"),
            _Option("models", "the model registry (runs/table/models)", text),
            _Option("hand-eye-mm", "error of the camera's calibrated place, millimetres (0.5)", number(0, 100)),
            _Option("hand-eye-deg", "error of its rotation, degrees (0.05)", number(0, 20)),
        ),
    ),
    "pool": _Benchmark(
        "how quickly the pool of images to label decides, opens and survives kills",
        _measured("loop.pool:PoolBenchmark"),
        (
            _Option("entries", "entries of the larger pool (1000000)"),
            _Option("width", "numbers of the features of an image, and of an object (256)"),
            _Option("objects", "detections of an image that is decided (3)"),
            _Option("decisions", "images that each pool decides of (2000)"),
            _Option("kills", "kills of a process that adds images to another pool (200)"),
        ),
    ),
    "sorting": _Benchmark(
        "how often generated images of which is known what they are get their colour",
        _measured("generation.sorting:SortingBenchmark"),
        (
            _Option("data", "folder of images of one part (crops of a simulated cell)", text),
            _Option("other", "images of another session (the cell under another lamp; with --data: none)", text),
            _Option("trials", "divisions of the images, each of its own seed, for each size of a training set (2)"),
            _Option("each", "images of each kind that are planted in a trial (20)"),
            _Option("held-out", "real images that say what is usual (40)"),
            _Option("most", "largest training set that is tried, of 10, 20 and 150 (150)"),
        ),
    ),
}
