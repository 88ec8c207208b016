"""How fast each stage is on this machine, measured with the parts that a run uses."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cadsight_core.config.parameters import from_mapping
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.storage.folders.run_folder import RunFolder

from cadsight_cli.yaml_file import node_section

# Enough for a rate, few enough to wait for.
FRAMES, IMAGES, EPOCHS, LIVE_SECONDS = 60, 16, 2, 10.0
SEED = 90


def camera(config: Path) -> dict[str, Any]:
    """Frames a second of the simulated camera alone, at the size that ``config`` gives it."""
    from cadsight_cell.holder import pose_from_list
    from cadsight_cell.simulation.parameters import SimulatedCellParameters
    from cadsight_cell.simulation.world import make_world
    from cadsight_core.imaging.opengl import needing_opengl
    from cadsight_core.parts.part import load_part, load_part_mesh
    from cadsight_ros.resources import resolve

    p = from_mapping(SimulatedCellParameters, node_section(config, "simulated_cell"), str(config))
    part = load_part(resolve(p.part))
    mesh, mount = load_part_mesh(part), pose_from_list(p.mount, "mount")
    with needing_opengl():
        from cadsight_cell.simulation.renderer import CellRenderer

        renderer = CellRenderer(make_world(p), part, mesh, mount)
    try:
        renderer.colour(p.home_joints, 0)
        seconds = _timed(lambda: [renderer.colour(p.home_joints, frame) for frame in range(FRAMES)])
    finally:
        renderer.close()
    return {"frames_per_second": FRAMES / seconds, "width": p.width, "height": p.height}


def capture(config: Path, sessions: Path) -> dict[str, Any]:
    """Seconds a sample of a session taken by the real nodes, without the time to start them."""
    from cadsight_capture.session import SessionPlan

    from cadsight_cli.demo.steps.capture import cell_client, cell_with_capture

    came: list[tuple[float, int]] = []
    truth, logs = sessions / "speed" / "truth", sessions / "logs"
    with (
        cell_with_capture(config, SEED, truth, sessions, logs) as children,
        cell_client(children) as client,
    ):
        client.wait_for_cell()
        plan = SessionPlan("speed", "train", IMAGES, SEED)
        client.capture("speed", plan, lambda m: came.append((time.monotonic(), m.captured)))
    began, first = next((at, count) for at, count in came if count)
    ended, last = came[-1]
    return {"seconds_per_sample": (ended - began) / (last - first), "samples": last - first}


def labelling(config: Path, session: Path) -> dict[str, Any]:
    """Images a second of a captured session, the correction of the hand-eye calibration included."""
    from cadsight_cli.demo.steps.labels import label

    label(session, config)
    report = json.loads((session / "labels.json").read_text())
    return {"images_per_second": report["images"] / report["seconds"], "images": report["images"]}


def training(config: Path, run: RunFolder, scratch: Path) -> dict[str, Any]:
    """Seconds an epoch of both models as the run trained them, validation included; the first epoch is left out."""
    from cadsight_learning.detection.families import detector_options
    from cadsight_learning.options import NormalOptions
    from cadsight_learning.registry.card import load_card

    from cadsight_cli.demo.steps.labels import part_of
    from cadsight_cli.demo.steps.training import train_detector, train_normals

    train, valid = run.session("train").labelled, run.session("valid").labelled
    short = {"epochs": EPOCHS + 1, "seconds": 0.0}
    detector: list[float] = []
    normals: list[float] = []
    options = detector_options(load_card(run.detector).options | short, str(run.detector))
    train_detector(train, run.composed, valid, scratch / "detector", options, lambda r: detector.append(r.seconds))
    regressor = from_mapping(NormalOptions, load_card(run.normals).options | short, str(run.normals))
    parts = [part_of(config)]
    train_normals(train, valid, scratch / "normals", regressor, lambda r: normals.append(r.seconds), parts)
    return {
        "detector_seconds_per_epoch": (detector[-1] - detector[0]) / EPOCHS,
        "detector_pictures": len(Dataset.open(train)) + len(Dataset.open(run.composed)),
        "normals_seconds_per_epoch": (normals[-1] - normals[0]) / EPOCHS,
        "normals_crops": len(Dataset.open(train)) + regressor.drawn,
    }


def live(config: Path, run: RunFolder, scratch: Path) -> dict[str, Any]:
    """Latency of the perception node with the run's models, while the arm moves."""
    from cadsight_cli.demo.pipeline import LIVE_FPS
    from cadsight_cli.demo.steps.live import run_live
    from cadsight_cli.demo.workcell_file import write_workcell

    config = write_workcell(config, {"simulated_cell": {"fps": LIVE_FPS}}, scratch / "workcell.yaml")
    report = run_live(LIVE_SECONDS, config, SEED, run.detector.parent, scratch, scratch / "logs", "live")
    keys = ("frames", "dropped", "dropped_in_transport", "wrong_stamps", "latency_ms_p50", "latency_ms_p99")
    more = ("overhead_ms_p50", "detector_ms_p50", "regressor_ms_p50", "transport_ms_p50", "age_ms_p50", "age_ms_p99")
    return {key: getattr(report.figures, key) for key in (*keys, *more)}


def _timed(work: Callable[[], Any]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started
