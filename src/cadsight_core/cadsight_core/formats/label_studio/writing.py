"""Tasks with predictions for Label Studio, and the configuration that they need."""

from xml.sax.saxutils import quoteattr

from cadsight_core.formats.label_studio.regions import FROM_NAME, TO_NAME, region_of
from cadsight_core.formats.labelling.tasks import Task, Tasks
from cadsight_core.storage.json_text import json_text

TASKS, CONFIG = "tasks.json", "label-config.xml"


def tasks_text(tasks: Tasks, before: str) -> str:
    """The JSON to import; ``before`` stands before the names of images and makes them addresses."""
    return json_text([_task(task, tasks, before) for task in tasks.each], indent=1) + "\n"


def config_text(classes: tuple[str, ...]) -> str:
    """The labelling configuration of a project for these classes."""
    labels = "\n".join(f"    <Label value={quoteattr(name)}/>" for name in classes)
    return (
        f'<View>\n  <Image name="{TO_NAME}" value="$image"/>\n'
        f'  <RectangleLabels name="{FROM_NAME}" toName="{TO_NAME}">\n{labels}\n  </RectangleLabels>\n</View>\n'
    )


def _task(task: Task, tasks: Tasks, before: str) -> dict[str, object]:
    data = {
        "image": f"{before}{task.file_name}",
        "cadsight_sha256": task.sha256,
        "cadsight_name": task.sample.name,
    }
    result = [region_of(g, tasks.classes[g.instance.class_id], task.sample.size) for g in task.guesses]
    if not result:
        return {"data": data}
    scores = [g.instance.score for g in task.guesses if g.instance.score is not None]
    prediction: dict[str, object] = {"model_version": tasks.model or "labels", "result": result}
    if scores:
        prediction["score"] = min(scores)
    return {"data": data, "predictions": [prediction]}
