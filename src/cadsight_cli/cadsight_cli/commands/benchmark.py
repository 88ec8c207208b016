"""`cadsight benchmark`: the figures of a run, and the speed of each stage on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cadsight_cli.arguments.types import COUNT, text

if TYPE_CHECKING:
    from cadsight_cli.json_output import JsonOutput

_RUN = "runs/demo"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "benchmark",
        help="print the figures of a run and the speed of each stage",
        description="Print the figures that a run is judged by, and measure on this machine the simulated camera, "
        "capturing, labelling, training and the live look, each with the run's pictures and models. With `synthesis`, "
        "measure how fast synthetic pictures are drawn instead, with `evaluation` how fast detections are judged, with "
        "`labels` how fast a large COCO set is read and checked beside pycocotools, with `training` what a detector's "
        "training costs beside calling ultralytics or torchvision directly with the same settings, with `inference` "
        "how many pictures a second each runtime looks at, with `neighbours` how quick training and looking are "
        "beside other work, and with `start` how long the perception node takes to its first result; none of them "
        "wants a run. It is no test: nothing fails for being slow.",
    )
    parser.add_argument("what", nargs="?", choices=tuple(_KINDS), default="run", help="what to measure (%(default)s)")
    parser.add_argument(
        "--pictures",
        type=COUNT,
        metavar="N",
        help="synthesis: pictures of our engine (12); training, neighbours: pictures (64); labels: pictures (100000)",
    )
    parser.add_argument("--boxes", type=COUNT, metavar="N", help="evaluation: boxes (10000)")
    parser.add_argument("--classes", type=COUNT, metavar="N", help="evaluation: classes (5)")
    for flag, kind, sentence in (
        ("family", text, "family of the network (yolo11)"),
        ("image-size", COUNT, "longer side of a picture as the network sees it (160; inference: 640)"),
        ("batch", COUNT, "pictures a step (8)"),
        ("epochs", COUNT, "epochs of each training that count (3)"),
        ("rounds", COUNT, "trainings of each kind (2)"),
        ("device", text, "where to compute (auto)"),
    ):
        metavar = "N" if kind is COUNT else flag.upper()
        parser.add_argument(f"--{flag}", type=kind, metavar=metavar, help=f"training: {sentence}")
    parser.add_argument("--model", metavar="MODEL", help="inference: folder of a detector (YOLO11 nano, untrained)")
    parser.add_argument(
        "--runs",
        type=COUNT,
        metavar="N",
        help="looks: inference, of each runtime (20); neighbours (200); start: starts (5)",
    )
    parser.add_argument("--threads", type=COUNT, metavar="N", help="inference: threads of a look (torch's own)")
    parser.add_argument("--data", metavar="SET", help="inference: labelled pictures to judge each runtime on")
    parser.add_argument("--split", choices=("train", "valid", "test"), help="inference: only this split of --data")
    parser.add_argument("--run", dest="run_folder", metavar="RUN", help=f"run: its folder ({_RUN})")
    parser.add_argument("--json", metavar="FILE", help="write all of it there")
    parser.add_argument("--config", metavar="YAML", help="run: parameter file of all nodes (config/workcell.yaml)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_cli.arguments.idle import refuse_idle
    from cadsight_cli.json_output import JsonOutput

    measure, own = _KINDS[args.what]
    others = dict.fromkeys(name for _, names in _KINDS.values() for name in names if name not in own)
    flags = {name: "--run" if name == "run_folder" else f"--{name.replace('_', '-')}" for name in others}
    refuse_idle(f"with `cadsight benchmark {args.what}`", {flags[name]: getattr(args, name) for name in others})
    return measure(args, JsonOutput(args.json, "speeds", "versions"), own)


def _run_synthesis(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    from cadsight_cli.benchmarks.synthesis import SynthesisBenchmark

    return _written(SynthesisBenchmark(**_given(args, own)).run(_print_speeds), output)


def _run_evaluation(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    from cadsight_cli.benchmarks.evaluation import EvaluationBenchmark

    return _written(EvaluationBenchmark(**_given(args, own)).run(_print_speeds), output)


def _run_labels(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    from tqdm import tqdm

    from cadsight_cli.benchmarks.labels import LabelsBenchmark

    def bar(items: Any, total: int, what: str) -> Any:
        return tqdm(items, total=total, desc=what, unit="image", disable=None)

    return _written(LabelsBenchmark(**_given(args, own)).run(_print_speeds, bar), output)


def _run_training(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    from cadsight_cli.benchmarks.training import TrainingBenchmark

    return _written(TrainingBenchmark(**_given(args, own)).run(_print_speeds), output)


def _run_inference(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    from cadsight_cli.benchmarks.inference import InferenceBenchmark

    benchmark = InferenceBenchmark(**_given(args, own))
    return _written(benchmark.run(_print_speeds, lambda sentence: print(f"note: {sentence}")), output)


def _run_neighbours(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    from cadsight_cli.benchmarks.neighbours import NeighboursBenchmark

    return _written(NeighboursBenchmark(**_given(args, own)).run(_print_speeds), output)


def _run_start(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    from cadsight_cli.benchmarks.start import StartBenchmark

    return _written(StartBenchmark(**_given(args, own)).run(_print_speeds), output)


def _given(args: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _written(speeds: dict[str, Any], output: JsonOutput) -> int:
    from cadsight_report.origin import versions

    output.write({"speeds": speeds, "versions": versions()}, indent=2)
    return 0


def _run_stages(args: argparse.Namespace, output: JsonOutput, own: Sequence[str]) -> int:
    import os
    import signal
    import tempfile
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial
    from multiprocessing import get_context
    from pathlib import Path

    from cadsight_core.errors import CadsightError
    from cadsight_core.run_folder import RunFolder, read_json
    from cadsight_report.origin import versions
    from cadsight_ros.domains import own_domain
    from cadsight_ros.resources import resolve

    from cadsight_cli.benchmarks import stages as benchmark

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("ROS_DOMAIN_ID", str(own_domain()))
    run_folder = args.run_folder or _RUN
    folder = RunFolder(Path(run_folder).resolve())
    figures = read_json(folder.figures)
    if figures is None:
        raise CadsightError(f"{folder.figures} is missing, expected a run that `cadsight demo` has finished")
    config = Path(args.config) if args.config else resolve("package://cadsight/config/workcell.yaml")
    _print_targets(figures)
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
    result = {"run": str(run_folder), "targets": figures["targets"], "speeds": speeds, "versions": versions()}
    output.write(result, indent=2)
    return 0


def _print_targets(figures: dict[str, Any]) -> None:
    words = {True: "met", False: "NOT met", None: "not measured"}
    for target in figures["targets"]:
        value = target["value"]
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        limit = f"{target['relation']} {target['limit']} {target['unit']}".strip()
        print(f"{target['what']:<62} {shown:>9}   {limit:<22} {words[target['met']]}")


def _print_speeds(stage: str, speeds: dict[str, Any]) -> None:
    print(f"{stage}: " + ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in speeds.items()))


# What can be measured: how, and the options that it has for itself.
_KINDS = {
    "run": (_run_stages, ("run_folder", "config")),
    "synthesis": (_run_synthesis, ("pictures",)),
    "evaluation": (_run_evaluation, ("boxes", "classes")),
    "labels": (_run_labels, ("pictures",)),
    "training": (_run_training, ("family", "pictures", "image_size", "batch", "epochs", "rounds", "device")),
    "inference": (_run_inference, ("model", "image_size", "runs", "threads", "data", "split")),
    "neighbours": (_run_neighbours, ("pictures", "image_size", "batch", "epochs", "runs")),
    "start": (_run_start, ("runs",)),
}
