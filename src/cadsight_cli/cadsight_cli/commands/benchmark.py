"""`cadsight benchmark`: the figures of a run, and the speed of each stage on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cadsight_cli.json_output import JsonOutput


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "benchmark",
        help="print the figures of a run and the speed of each stage",
        description="Print the figures that a run is judged by, and measure on this machine the simulated camera, "
        "capturing, labelling, training and the live look, each with the run's pictures and models. With `synthesis`, "
        "measure how fast synthetic pictures are drawn instead, with `evaluation` how fast detections are judged, and "
        "with `training` what a detector's training costs beside calling ultralytics or torchvision directly with the "
        "same settings, with `inference` how many pictures a second each runtime looks at, with `neighbours` how "
        "quick training and looking are beside other work, and with `start` how long the perception node takes to its "
        "first result; none of them wants a run. It is no test: nothing fails for "
        "being slow.",
    )
    parser.add_argument("what", nargs="?", choices=tuple(_KINDS), default="run", help="what to measure (%(default)s)")
    parser.add_argument(
        "--pictures",
        type=int,
        metavar="N",
        help="synthesis: pictures of our engine (12); training, neighbours: pictures (64)",
    )
    parser.add_argument("--boxes", type=int, default=10_000, metavar="N", help="evaluation: boxes (%(default)s)")
    parser.add_argument("--classes", type=int, default=5, metavar="N", help="evaluation: classes (%(default)s)")
    for flag, kind, text in (
        ("family", str, "family of the network (yolo11)"),
        ("image-size", int, "longer side of a picture as the network sees it (160; inference: 640)"),
        ("batch", int, "pictures a step (8)"),
        ("epochs", int, "epochs of each training that count (3)"),
        ("rounds", int, "trainings of each kind (2)"),
        ("device", str, "where to compute (auto)"),
    ):
        parser.add_argument(f"--{flag}", type=kind, metavar=kind.__name__.upper(), help=f"training: {text}")
    parser.add_argument("--model", metavar="MODEL", help="inference: folder of a detector (YOLO11 nano, untrained)")
    parser.add_argument(
        "--runs",
        type=int,
        metavar="N",
        help="looks: inference, of each runtime (20); neighbours (200); start: starts (5)",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="inference: threads of a look (torch's own)")
    parser.add_argument("--data", metavar="SET", help="inference: labelled pictures to judge each runtime on")
    parser.add_argument("--split", choices=("train", "valid", "test"), help="inference: only this split of --data")
    parser.add_argument(
        "--run", dest="run_folder", default="runs/demo", metavar="RUN", help="folder of the run (%(default)s)"
    )
    parser.add_argument("--json", metavar="FILE", help="write all of it there")
    parser.add_argument("--config", metavar="YAML", help="parameter file of all nodes (config/workcell.yaml)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from cadsight_cli.json_output import JsonOutput

    return _KINDS[args.what](args, JsonOutput(args.json, "speeds", "versions"))


def _run_synthesis(args: argparse.Namespace, output: JsonOutput) -> int:
    from cadsight_cli.benchmark_synthesis import SynthesisBenchmark

    return _written(SynthesisBenchmark(**_given(args, "pictures")).run(_print_speeds), output)


def _run_evaluation(args: argparse.Namespace, output: JsonOutput) -> int:
    from cadsight_cli.benchmark_evaluation import EvaluationBenchmark

    return _written(EvaluationBenchmark(boxes=args.boxes, classes=args.classes).run(_print_speeds), output)


def _run_training(args: argparse.Namespace, output: JsonOutput) -> int:
    from cadsight_cli.benchmark_training import TrainingBenchmark

    names = ("family", "pictures", "image_size", "batch", "epochs", "rounds", "device")
    return _written(TrainingBenchmark(**_given(args, *names)).run(_print_speeds), output)


def _run_inference(args: argparse.Namespace, output: JsonOutput) -> int:
    from cadsight_cli.benchmark_inference import InferenceBenchmark

    names = ("model", "image_size", "runs", "threads", "data", "split")
    benchmark = InferenceBenchmark(**_given(args, *names))
    return _written(benchmark.run(_print_speeds, lambda sentence: print(f"note: {sentence}")), output)


def _run_neighbours(args: argparse.Namespace, output: JsonOutput) -> int:
    from cadsight_cli.benchmark_neighbours import NeighboursBenchmark

    names = ("pictures", "image_size", "batch", "epochs", "runs")
    return _written(NeighboursBenchmark(**_given(args, *names)).run(_print_speeds), output)


def _run_start(args: argparse.Namespace, output: JsonOutput) -> int:
    from cadsight_cli.benchmark_start import StartBenchmark

    return _written(StartBenchmark(**_given(args, "runs")).run(_print_speeds), output)


def _given(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _written(speeds: dict[str, Any], output: JsonOutput) -> int:
    from cadsight_report.origin import versions

    output.write({"speeds": speeds, "versions": versions()}, indent=2)
    return 0


def _run_stages(args: argparse.Namespace, output: JsonOutput) -> int:
    import os
    import signal
    import tempfile
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial
    from multiprocessing import get_context
    from pathlib import Path

    from cadsight_core.errors import CadsightError
    from cadsight_report.origin import versions
    from cadsight_report.run_folder import RunFolder, read_json
    from cadsight_ros.domains import own_domain
    from cadsight_ros.resources import resolve

    from cadsight_cli import benchmark

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("ROS_DOMAIN_ID", str(own_domain()))
    folder = RunFolder(Path(args.run_folder).resolve())
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
    result = {"run": str(args.run_folder), "targets": figures["targets"], "speeds": speeds, "versions": versions()}
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


_KINDS = {
    "run": _run_stages,
    "synthesis": _run_synthesis,
    "evaluation": _run_evaluation,
    "training": _run_training,
    "inference": _run_inference,
    "neighbours": _run_neighbours,
    "start": _run_start,
}
