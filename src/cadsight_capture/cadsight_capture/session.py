"""A capture session: random pose, move, settle, one image, append, repeat (Comillas, section 3.3).

DIR/session.json     the plan of the session, and the poses that were given up
DIR/background.png   the cell without the part
DIR/raw/             the data set; every record holds session, seed, pose, stamp_ns, joints, base_from_camera,
                     base_from_tool
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from cadsight_core.camera import Camera, ImageSize
from cadsight_core.config.parameters import LARGEST_SEED, check, parameter
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.images import write_image
from cadsight_core.sample import Sample, Split
from cadsight_core.storage.documents import read_document
from cadsight_core.storage.files import write_atomically
from cadsight_core.storage.folders.session_folder import SessionFolder
from cadsight_core.storage.json_text import json_text
from cadsight_core.storage.output_file import json_with
from numpy.typing import NDArray

FORMAT = "cadsight-session-1"
# Whether the bytes of session.json are ours.
is_session = json_with("asked", "skipped", form=FORMAT)

T = TypeVar("T")


@dataclass(frozen=True)
class SessionPlan:
    """The plan of a session; all but ``count`` must stay the same when it is continued."""

    session: str = parameter("", "name of the session, part of every image's name")
    split: str = parameter("train", "what the images are for", choices=("train", "valid", "test", ""))
    count: int = parameter(100, "images that the session has when it is done", minimum=1)
    seed: int = parameter(0, "decides the poses", minimum=0, maximum=LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)
        if not self.session or Path(self.session).name != self.session or not self.session.isprintable():
            raise CadsightError(f"the session is called {self.session!r}, expected a name without folders")


@dataclass(frozen=True)
class SessionParameters:
    """How a session deals with failures."""

    background_tries: int = parameter(3, "motions out of view that may fail before the session ends", minimum=1)
    failures_in_a_row: int = parameter(30, "poses that may be given up one after another", minimum=1)
    retry_s: float = parameter(1.0, "seconds to wait after the third failure in a row and every one after", minimum=0.0)

    after_stop: str = parameter(
        "released",
        "when a session goes on after the arm was stopped: as soon as it is released, or when ~/pause is called too",
        choices=("released", "service"),
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, eq=False)
class Frame:
    """An image and what was read at its stamp.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        joints: radians by name.
        base_from_camera: base_link_from_optical, by the hand-eye calibration.
        base_from_tool: base_link_from_tool0, by joints and the arm's calibration.
    """

    image: NDArray[np.uint8]
    camera: Camera
    stamp_ns: int
    joints: Mapping[str, float]
    base_from_camera: Pose
    base_from_tool: Pose


class SkippedError(CadsightError):
    """A pose that is given up; ``reason`` is one word for counting."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class SilentError(CadsightError):
    """The camera or the arm does not answer; waiting helps. ``reason`` is one word for counting."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class NotReadyError(SilentError):
    """The arm is stopped or halted, and somebody must let it go again; the sentence says how."""


class StoppedError(Exception):
    """The session was stopped on request."""


class Control:
    """Pause and stop, from any thread."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._running = threading.Event()
        self._running.set()

    def stop(self) -> None:
        self._stopping.set()
        self._running.set()

    def pause(self, paused: bool) -> None:
        if paused and not self._stopping.is_set():
            self._running.clear()
        else:
            self._running.set()

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def check(self) -> None:
        """Raises StoppedError when the session is to end."""
        if self.stopping:
            raise StoppedError

    def checkpoint(self) -> float:
        """Wait while paused; seconds that it took. Raises StoppedError when the session is to end."""
        begin = time.monotonic()
        self._running.wait()
        self.check()
        return time.monotonic() - begin

    def sleep(self, seconds: float) -> None:
        """Wait, and end early with StoppedError when the session is to end."""
        if self._stopping.wait(seconds):
            raise StoppedError


class Cell(Protocol):
    """The arm and the camera, for one thread. Every call raises StoppedError soon after the session is stopped."""

    def move(self, joints: Array) -> None:
        """Take the arm to joint angles (6,) in radians and return when the motion has ended.

        Raises:
            SkippedError: when there is no path, or the motion was refused or broken off.
            SilentError: when no joint state comes, or nobody is there to move the arm.
            NotReadyError: when the arm is stopped, before or in the motion.
        """
        ...

    def settle(self) -> int:
        """Wait until the arm stands still; images with a later stamp than the one returned (ns) show it so.

        Raises:
            SkippedError: when it does not come to rest.
            SilentError: when no joint state comes.
        """
        ...

    def image_after(self, stamp_ns: int) -> Frame:
        """The first image with a later stamp than ``stamp_ns``.

        Raises:
            SkippedError: when the image cannot be used, such as for a camera_info that does not fit it.
            SilentError: when no image, camera_info or joint state comes.
        """
        ...


class Poses(Protocol):
    """Gives pose ``index``, always the same one, and how many samples were refused for it by reason."""

    def pose(self, index: int) -> tuple[Array, dict[str, int]]: ...


@dataclass(frozen=True)
class Progress:
    """Where a session stands."""

    captured: int
    count: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    images_per_minute: float = 0.0
    last_skip: str = ""
    waiting: bool = False


class Session:
    """One session on disk; made anew or continued."""

    def __init__(
        self,
        folder: str | Path,
        classes: tuple[str, ...],
        plan: SessionPlan,
        cell: Cell,
        background_joints: Array,
        poses_in_view: Callable[[Camera, Pose], Poses],
        *,
        recipe: Mapping[str, Any] | None = None,
        provenance: Mapping[str, Any] | None = None,
        parameters: SessionParameters | None = None,
        control: Control | None = None,
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """Open the session's folder.

        Args:
            background_joints: angles (6,) in radians that take the part out of view.
            poses_in_view: makes the poses of a camera and its base_from_camera.
            recipe: what else decides the poses, such as home and spread; kept in session.json.
            provenance: what goes into each record besides, such as the hash of the hand-eye file.

        Raises:
            CadsightError: when the folder holds another session, or cannot be written.
        """
        self.folder = Path(folder).resolve()
        self._paths = SessionFolder(self.folder)
        self.plan, self.cell = plan, cell
        self.parameters = parameters or SessionParameters()
        self.control = control or Control()
        self._background_joints, self._poses_in_view, self._report = background_joints, poses_in_view, report
        self._provenance = dict(provenance or {})
        self._begin(plan, recipe or {})
        self.dataset = Dataset.create(self._paths.raw, classes, exist_ok=True)
        self._fresh = 0
        self._seconds = 0.0
        self._silences: Counter[str] = Counter()
        self._last_skip = ""
        self._waiting = False

    @property
    def captured(self) -> int:
        """Images on disk, without the background."""
        return len(self.dataset) - (self._background_name in self.dataset)

    @property
    def skipped(self) -> dict[str, int]:
        """How many poses were given up, and how often camera or arm were silent, by reason."""
        return dict(Counter(self._state["skipped"].values()) + self._silences)

    def progress(self) -> Progress:
        rate = 60 * self._fresh / self._seconds if self._seconds > 0 else 0.0
        return Progress(self.captured, self.plan.count, self.skipped, rate, self._last_skip, self._waiting)

    def run(self) -> Progress:
        """Take the images that are missing.

        Raises:
            StoppedError: when it was stopped; everything before is kept.
            CadsightError: when it cannot go on: the disk is full, the background cannot be reached, or too many
                poses in a row were given up; everything before is kept.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="write") as writer:
            poses = self._poses()
            index, taken, failures, pending = self._next_index(), self.captured, 0, _done(None)
            begin = time.monotonic()
            try:
                while taken < self.plan.count:
                    begin += self.control.checkpoint()
                    try:
                        joints, redrawn = _pose(poses, index)
                        frame = self._capture(joints, pending)
                    except SkippedError as error:
                        failures += 1
                        self._skip(index, error, failures)
                    else:
                        failures = 0
                        sample = self._sample(frame, f"{self.plan.session}-{index:05d}", pose=index, redrawn=redrawn)
                        pending = writer.submit(self.dataset.append, sample, frame.image)
                        taken += 1
                        self._fresh += 1
                    self._seconds = time.monotonic() - begin
                    self._report(self.progress())
                    index += 1
            finally:
                # An image that is taken is kept, whatever ends the session.
                pending.result()
                self._report(self.progress())
        return self.progress()

    def _capture(self, joints: Array, pending: "Future[Any]") -> Frame:
        """One frame at ``joints``; the image before it is on disk when this one is taken."""
        self._patiently(lambda: self.cell.move(joints))
        pending.result()
        return self._patiently(lambda: self.cell.image_after(self.cell.settle()))

    def _patiently(self, call: Callable[[], T]) -> T:
        """What ``call`` gives, however often camera or arm must be waited for."""
        while True:
            try:
                done = call()
            except NotReadyError as error:
                self._wait_for_release(error)
            except SilentError as error:
                self._silent(error)
            else:
                self._waiting = False
                return done
            self.control.check()

    def _silent(self, error: SilentError) -> None:
        self._silences[error.reason] += 1
        self._last_skip = str(error)
        self._report(self.progress())

    def _wait_for_release(self, error: NotReadyError) -> None:
        """Tell once what to do, and come back when the arm is to be asked again."""
        if not self._waiting or self._last_skip != str(error):
            # However often the arm is asked, one stop counts once.
            self._silences[error.reason] += not self._waiting
            self._waiting, self._last_skip = True, str(error)
            self._report(self.progress())
        if self.parameters.after_stop == "service":
            self.control.pause(True)
            self.control.checkpoint()
        else:
            self.control.sleep(self.parameters.retry_s)

    def _poses(self) -> Poses:
        name = self._background_name
        if name not in self.dataset:
            frame = self._background()
            self.dataset.append(self._sample(frame, name, background=True), frame.image)
        sample = self.dataset[name]
        if not self._paths.background.exists():
            write_image(self._paths.background, self.dataset.image(sample))
        assert sample.camera is not None
        return self._poses_in_view(sample.camera, Pose.from_json(sample.record["base_from_camera"]))

    def _background(self) -> Frame:
        for left in reversed(range(self.parameters.background_tries)):
            self.control.checkpoint()
            try:
                return self._capture(self._background_joints, _done(None))
            except SkippedError as error:
                self._last_skip = str(error)
                self._report(self.progress())
                if not left:
                    raise CadsightError(f"the background could not be taken: {error}") from error
            self.control.sleep(self.parameters.retry_s)
        raise AssertionError

    def _sample(self, frame: Frame, name: str, *, background: bool = False, **more: Any) -> Sample:
        size = ImageSize(frame.image.shape[1], frame.image.shape[0])
        split: Split = self.plan.split  # type: ignore[assignment]
        record = {
            "session": self.plan.session,
            "seed": self.plan.seed,
            "stamp_ns": frame.stamp_ns,
            "joints": dict(frame.joints),
            "base_from_camera": frame.base_from_camera.to_json(),
            "base_from_tool": frame.base_from_tool.to_json(),
            "background": background,
            **self._provenance,
            **more,
        }
        return Sample(name, Path(), size, frame.camera, origin="real", split=split, record=record)

    @property
    def _background_name(self) -> str:
        return f"{self.plan.session}-background"

    def _next_index(self) -> int:
        return 1 + max((s.record["pose"] for s in self.dataset if "pose" in s.record), default=-1)

    def _skip(self, index: int, error: SkippedError, failures: int) -> None:
        self._last_skip = str(error)
        self._state["skipped"][str(index)] = error.reason
        self._save()
        if failures >= self.parameters.failures_in_a_row:
            raise CadsightError(f"{failures} poses in a row were given up, the last because {error}") from error
        if failures >= 3:
            self.control.sleep(self.parameters.retry_s)

    def _begin(self, plan: SessionPlan, recipe: Mapping[str, Any]) -> None:
        path, background = self._paths.state, self._paths.background
        requested = {**asdict(plan), "recipe": json.loads(json_text(dict(recipe)))}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CadsightError(f"the session's folder {self.folder} cannot be used: {error.strerror}") from error
        before = read_document(path, FORMAT, "session") if path.exists() else None
        if before is None and os.path.lexists(background):
            raise CadsightError(f"{background} is there and no session, expected another folder")
        if before is None:
            self._state: dict[str, Any] = {"format": FORMAT, "asked": requested, "skipped": {}}
        else:
            for key in ("session", "split", "seed", "recipe"):
                was = before["asked"].get(key)
                if was != requested[key]:
                    raise CadsightError(
                        f"the session in {self.folder} was begun with {key} {was!r} and {requested[key]!r} came, "
                        "expected the same to continue it or another folder"
                    )
            self._state = {"format": FORMAT, **before, "asked": requested}
        self._save()

    def _save(self) -> None:
        write_atomically(self._paths.state, json_text(self._state, indent=1) + "\n")


def _pose(poses: Poses, index: int) -> tuple[Array, dict[str, int]]:
    try:
        return poses.pose(index)
    except CadsightError as error:
        raise SkippedError("no_pose", str(error)) from error


def _done(value: Any) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_result(value)
    return future
