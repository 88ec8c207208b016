"""Labels through a real Label Studio server, where the environment names one.

CADSIGHT_LABEL_STUDIO=http://localhost:8080 CADSIGHT_LABEL_STUDIO_TOKEN=... pytest tests/test_label_studio_server.py
"""

import json
import os
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from cadsight_core.box import Box
from cadsight_core.camera import ImageSize
from cadsight_core.formats.labelling.settling import settle
from cadsight_core.formats.labelling.tasks import load_record, tasks_of
from cadsight_core.formats.labelling_tools import TOOLS, read_answers, write_export
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Instance, Sample

SERVER, TOKEN = "CADSIGHT_LABEL_STUDIO", "CADSIGHT_LABEL_STUDIO_TOKEN"
COUNT = 20
pytestmark = pytest.mark.skipif(not os.environ.get(SERVER), reason=f"{SERVER} is not set")


def call(method: str, path: str, body: object = None) -> bytes:
    headers = {"Authorization": f"Token {os.environ[TOKEN]}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ[SERVER] + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return bytes(answer.read())


@pytest.fixture
def tasks(tmp_path):
    rng = np.random.default_rng(0)
    samples = []
    for number in range(COUNT):
        width, height = map(int, rng.integers(31, 97, 2))
        write_image(tmp_path / f"{number}.png", rng.integers(0, 256, (height, width, 3), np.uint8))
        labels = []
        for _ in range(3):
            (x0, x1), (y0, y1) = (np.sort(rng.uniform(0, side, 2)).tolist() for side in (width, height))
            score = float(rng.uniform())
            labels.append(Instance(int(rng.integers(2)), Box(x0, y0, x1, y1), score=score, source="model"))
        size = ImageSize(width, height)
        samples.append(
            (Sample(f"i{number}", tmp_path / f"{number}.png", size, instances=tuple(labels)), f"sha{number}")
        )
    return tasks_of(samples, ["nut", "große Mutter"], "m")


def test_labels_come_back_from_a_server_as_they_went(tasks, tmp_path: Path):
    tool = TOOLS["label-studio"]
    folder = write_export(tasks, tool, tmp_path / "out")
    config = (folder / "label-config.xml").read_text()
    project = json.loads(call("POST", "/api/projects", {"title": "cadsight", "label_config": config}))["id"]
    try:
        call("POST", f"/api/projects/{project}/import", json.loads((folder / "tasks.json").read_text()))
        there = json.loads(call("GET", f"/api/tasks?project={project}&page_size={COUNT}&fields=all"))["tasks"]
        for task, (number, said) in zip(
            there, enumerate(["accepted", "empty", "skipped", "left"] * (COUNT // 4)), strict=True
        ):
            assert task["data"]["cadsight_name"] == f"i{number}"
            (prediction,) = json.loads(call("GET", f"/api/predictions?task={task['id']}"))
            body = {
                "result": prediction["result"] if said == "accepted" else [],
                "was_cancelled": said == "skipped",
                "parent_prediction": prediction["id"],
            }
            if said != "left":
                call("POST", f"/api/tasks/{task['id']}/annotations/", body)
        export = call("GET", f"/api/projects/{project}/export?exportType=JSON&download_all_tasks=true")
    finally:
        call("DELETE", f"/api/projects/{project}")
    (tmp_path / "export.json").write_bytes(export)
    settled = settle(load_record(folder), read_answers([tmp_path / "export.json"], tool))
    account = settled.account
    states = (account.labelled, account.empty, account.skipped, account.not_annotated)
    assert states == tuple(tuple(f"i{n}" for n in range(first, COUNT, 4)) for first in range(4))
    for sample in settled.samples[::2]:
        task = next(t for t in tasks.each if t.sample.name == sample.name)
        for label, guess in zip(sample.instances, task.guesses, strict=True):
            assert label.box.as_tuple() == pytest.approx(guess.instance.box.as_tuple(), abs=1e-6)
            assert (label.class_id, label.score) == (guess.instance.class_id, guess.instance.score)
            assert label.source == "model-accepted"
