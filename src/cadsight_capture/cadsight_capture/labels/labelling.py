"""A session of images in, a data set with labels that nobody drew out."""

import contextlib
import hashlib
import itertools
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from cadsight_core.box import Box
from cadsight_core.camera import Camera
from cadsight_core.config.parameters import check, parameter
from cadsight_core.datasets.dataset import Dataset, files_of
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.parts.mesh import Mesh
from cadsight_core.parts.part import Part, load_part_mesh
from cadsight_core.sample import Sample
from cadsight_core.storage.folders.session_folder import SessionFolder
from cadsight_core.storage.json_text import json_text
from cadsight_core.storage.output_file import json_with, refuse_foreign_file, write_output
from cadsight_core.storage.output_folder import refuse_foreign, whole_folder
from numpy.typing import NDArray

from cadsight_capture.hand_eye.correction import HandEyeCorrection, HandEyeParameters, Observation, fit_hand_eye
from cadsight_capture.labels.agreement import Agreement, AgreementParameters, compare, disagreement
from cadsight_capture.labels.colour import NO_COLOUR, ColourLabel, ColourParameters, label_by_colour
from cadsight_capture.labels.kinematic import KinematicLabel, camera_from_part_by_joints, label_by_kinematics
from cadsight_capture.labels.label_report import LabelReport
from cadsight_capture.labels.refusal import Refusal
from cadsight_capture.outline import directions, reach_of_mask

LABELS = "labels.json"
is_label_report = json_with("images", "accepted", "inputs")

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


@dataclass(frozen=True)
class LabellingParameters:
    """How a session is labelled."""

    colour: ColourParameters = field(default_factory=ColourParameters)
    hand_eye: HandEyeParameters = field(default_factory=HandEyeParameters)
    agreement: AgreementParameters = field(default_factory=AgreementParameters)
    workers: int = parameter(2, "images labelled at the same time", minimum=1, maximum=256)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, eq=False)
class ImageLabels:
    """What an image got.

    Attributes:
        colour, kinematic: the two labels; None where there is none.
        agreement: None unless both labels are there.
        refusal: None where the kinematic label is kept.
    """

    colour: ColourLabel | None
    kinematic: KinematicLabel | None
    agreement: Agreement | None
    refusal: Refusal | None


def label_image(
    image: NDArray[np.uint8],
    camera: Camera,
    camera_from_part: Pose,
    part: Part,
    mesh: Mesh,
    parameters: LabellingParameters,
    margin_px: float = 0.0,
) -> ImageLabels:
    """Label one RGB image (H, W, 3) by colour and by kinematics and let each check the other.

    Args:
        camera_from_part: by joints and the corrected hand-eye calibration.
        margin_px: how much farther the colour masks of this session reach on every side.
    """
    if image.shape[:2] != (camera.size.height, camera.size.width):
        reason = (
            f"the image is {image.shape[1]} x {image.shape[0]} pixels, "
            f"expected its camera's {camera.size.width} x {camera.size.height}"
        )
        return ImageLabels(None, None, None, Refusal("camera_size", reason))
    colour = label_by_colour(image, part.colour, parameters.colour)
    kinematic = label_by_kinematics(part, mesh, camera, camera_from_part)
    if isinstance(kinematic, Refusal):
        return ImageLabels(None if isinstance(colour, Refusal) else colour, None, None, kinematic)
    if isinstance(colour, Refusal):
        return ImageLabels(None, kinematic, None, colour)
    agreement = compare(colour, kinematic, margin_px, parameters.agreement.directions)
    return ImageLabels(colour, kinematic, agreement, disagreement(agreement, parameters.agreement))


def label_session(
    raw: str | Path | Dataset,
    part: Part,
    mount: Pose,
    parameters: LabellingParameters | None = None,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> LabelReport:
    """Label every image of a captured session; writes labelled/, rejected/ and labels.json.

    A session that was labelled from the same images with the same part, mount and parameters is left as it is.
    Otherwise the new data sets take the place of the old ones when they are complete, and labels.json comes last:
    where it is, the labels are whole.

    Args:
        raw: data set of the session; each record holds base_from_tool and base_from_camera.
        mount: tool0_from_part.
        out: folder to write to; the raw data set's parent by default.
        progress: wraps each loop: (iterable, total, what) -> iterable, such as a progress bar.

    Raises:
        CadsightError: when the session holds no image, classes that lack the part, or two cameras, and for a part
            without a colour.
    """
    if not part.colour:
        raise CadsightError(NO_COLOUR.format(part=part.name))
    p = parameters or LabellingParameters()
    source = raw if isinstance(raw, Dataset) else Dataset.open(raw)
    folder = Path(out) if out is not None else Path(source.folder).parent
    inputs = _fingerprint(source, part, mount, p)
    done = _finished(folder, inputs)
    if done is not None:
        return done

    paths = SessionFolder(folder)
    for written in (paths.labelled, paths.rejected):
        refuse_foreign(written, earlier=files_of)
    refuse_foreign_file(folder / LABELS, is_label_report)
    started = time.perf_counter()
    session = _Session(source, part, mount, p)
    with_progress = progress or (lambda items, total, what: items)
    total = len(session.samples)
    with ThreadPoolExecutor(p.workers) as pool:
        observed = list(
            with_progress(_in_order(pool, session.observe, session.samples, 4 * p.workers), total, "colour")
        )
        pairs = [pair for pair in observed if pair is not None]
        hull = session.mesh.hull_vertices
        correction = fit_hand_eye([observation for observation, _ in pairs], hull, session.camera, p.hand_eye)
        before = [box.iou(_hull_box(o.camera_from_part, hull, session.camera)) for o, box in pairs]
        labels = _in_order(pool, lambda s: session.label(s, correction), session.samples, 4 * p.workers)
        report = _write(folder, session, with_progress(labels, total, "labels"), correction, before)
    report = replace(report, seconds=round(time.perf_counter() - started, 3))
    content = report.to_json() | {"inputs": inputs, "part": part.name, "parameters": asdict(p)}
    write_output(folder / LABELS, json_text(content, indent=2) + "\n", is_label_report)
    return report


class _Session:
    """The images of one session and what is known of every one of them."""

    def __init__(self, source: Dataset, part: Part, mount: Pose, parameters: LabellingParameters) -> None:
        self.source, self.part, self.parameters = source, part, parameters
        self.samples = [s for s in source if not s.record.get("background", False)]
        if not self.samples:
            raise CadsightError(f"the session {source.folder} holds no image of a part, expected at least one")
        if part.class_id >= len(source.classes) or source.classes[part.class_id] != part.name:
            raise CadsightError(
                f"the session {source.folder} has the classes {', '.join(source.classes)}, "
                f"expected {part.name} with the number {part.class_id}"
            )
        cameras = {s.camera for s in self.samples}
        if len(cameras) != 1 or None in cameras:
            raise CadsightError(
                f"the session {source.folder} has {len(cameras)} cameras or images without one, "
                "expected all images to have the same intrinsics"
            )
        self.camera: Camera = next(c for c in cameras if c is not None)
        self.mesh = load_part_mesh(part)
        # Here and not in the workers: an arm model may be for one thread at a time.
        self._poses = {s.name: _pose(s, mount) for s in self.samples}
        self._along = directions(parameters.hand_eye.directions)

    def observe(self, sample: Sample) -> tuple[Observation, Box] | None:
        """How far the colour mask reaches, and its box; None where there is no colour label or no pose."""
        pose = self._poses[sample.name]
        if isinstance(pose, Refusal):
            return None
        try:
            image = self.source.image(sample)
        except CadsightError:
            return None
        colour = label_by_colour(image, self.part.colour, self.parameters.colour)
        hull = self.camera.project(pose.apply(self.mesh.hull_vertices))
        if isinstance(colour, Refusal) or np.isnan(hull).any():
            return None
        return Observation(pose, reach_of_mask(colour.mask, self._along)), colour.box

    def label(self, sample: Sample, correction: HandEyeCorrection) -> "_Labelled":
        """The labels of a sample, whatever is wrong with it."""
        pose = self._poses[sample.name]
        if isinstance(pose, Refusal):
            return _Labelled(sample, ImageLabels(None, None, None, pose))
        try:
            image = self.source.image(sample)
        except CadsightError as error:
            return _Labelled(sample, ImageLabels(None, None, None, Refusal("unreadable", str(error))))
        corrected = correction.correct(pose)
        margin = correction.margin_px
        return _Labelled(
            sample, label_image(image, self.camera, corrected, self.part, self.mesh, self.parameters, margin)
        )


@dataclass(frozen=True, eq=False)
class _Labelled:
    sample: Sample
    labels: ImageLabels

    def accepted(self, class_id: int) -> Sample:
        assert self.labels.kinematic is not None
        return replace(self.sample, instances=(self.labels.kinematic.instance(class_id),), record=self._record())

    def rejected(self, refusal: Refusal) -> Sample:
        record = self._record() | {"rejected": {"kind": refusal.kind, "reason": refusal.reason}}
        return replace(self.sample, instances=(), record=record)

    def _record(self) -> dict[str, Any]:
        record = dict(self.sample.record)
        if self.labels.colour is not None:
            record["colour_box"] = list(self.labels.colour.box.as_tuple())
        if self.labels.kinematic is not None:
            record["kinematic_box"] = list(self.labels.kinematic.box.as_tuple())
        if self.labels.agreement is not None:
            record["agreement"] = self.labels.agreement.to_json()
        return record


def _write(
    folder: Path,
    session: _Session,
    results: Iterable[_Labelled],
    correction: HandEyeCorrection,
    iou_before: Sequence[float],
) -> LabelReport:
    reasons: Counter[str] = Counter()
    unreadable: list[str] = []
    agreements: list[Agreement] = []
    paths = SessionFolder(folder)
    with _data_set(paths.labelled, session) as labelled, _data_set(paths.rejected, session) as rejected:
        for result in results:
            refusal = result.labels.refusal
            if refusal is None:
                assert result.labels.agreement is not None
                labelled.append_file(result.accepted(session.part.class_id))
                agreements.append(result.labels.agreement)
            elif refusal.kind == "unreadable":
                unreadable.append(result.sample.name)
            else:
                reasons[refusal.kind] += 1
                rejected.append_file(result.rejected(refusal))
        # Where it is the labels are whole, so it goes before they do.
        refuse_foreign_file(folder / LABELS, is_label_report).unlink(missing_ok=True)
    statistics = {key: _statistics([getattr(a, key) for a in agreements]) for key in Agreement.__dataclass_fields__}
    return LabelReport(
        labelled=paths.labelled,
        rejected=paths.rejected,
        images=len(session.samples),
        accepted=len(agreements),
        reasons=dict(reasons),
        unreadable=tuple(unreadable),
        correction=correction.to_json(),
        statistics={"box_iou_before_correction": _statistics(iou_before)} | statistics,
        seconds=0.0,
    )


@contextlib.contextmanager
def _data_set(folder: Path, session: _Session) -> Iterator[Dataset]:
    """A data set to write that takes the place of an earlier one of ours, and of nothing else, when it is whole."""
    with whole_folder(folder, earlier=files_of, made=False) as work:
        yield Dataset.create(work, session.source.classes)


def _pose(sample: Sample, mount: Pose) -> Pose | Refusal:
    try:
        base_from_camera = Pose.from_json(sample.record["base_from_camera"])
        base_from_tool = Pose.from_json(sample.record["base_from_tool"])
        return camera_from_part_by_joints(base_from_camera, base_from_tool, mount)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return Refusal("no_pose", f"the record of {sample.name} gives no pose: {error}")


def _hull_box(camera_from_part: Pose, hull_vertices: Array, camera: Camera) -> Box:
    pixels = camera.project(camera_from_part.apply(hull_vertices)) + 0.5
    (x0, y0), (x1, y1) = pixels.min(axis=0), pixels.max(axis=0)
    return Box(x0, y0, x1, y1)


def _statistics(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    figures = {
        "mean": np.mean(values),
        "median": np.median(values),
        "least": np.min(values),
        "greatest": np.max(values),
    }
    return {name: round(float(value), 5) for name, value in figures.items()}


def _in_order(pool: ThreadPoolExecutor, call: Callable[[Any], Any], items: Iterable[Any], ahead: int) -> Iterator[Any]:
    """Results in the order of ``items``, computed at most ``ahead`` items before they are needed."""
    rest = iter(items)
    waiting = deque(pool.submit(call, item) for item in itertools.islice(rest, ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(call, item) for item in itertools.islice(rest, 1))


def _fingerprint(source: Dataset, part: Part, mount: Pose, parameters: LabellingParameters) -> str:
    known = {"part": asdict(part) | {"mesh": ""}, "mount": mount.to_json(), "parameters": asdict(parameters)}
    known["parameters"].pop("workers")
    digest = hashlib.sha256(source.fingerprint().encode())
    digest.update(json.dumps(known, sort_keys=True, allow_nan=True).encode())
    try:
        digest.update(Path(part.mesh).read_bytes())
    except OSError as error:
        raise CadsightError(f"the mesh {part.mesh} could not be read: {error.strerror}") from error
    return digest.hexdigest()


def _finished(folder: Path, inputs: str) -> LabelReport | None:
    try:
        data = json.loads((folder / LABELS).read_text())
        if data["inputs"] != inputs:
            return None
        report = LabelReport.from_json(folder, data)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return report if report.labelled.is_dir() and report.rejected.is_dir() else None
