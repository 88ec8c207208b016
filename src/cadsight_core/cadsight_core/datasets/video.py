"""Images out of a video (Morato, M3: two frames a second)."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cadsight_core.camera import ImageSize
from cadsight_core.datasets.dataset import Dataset
from cadsight_core.errors import CadsightError
from cadsight_core.imaging.images import Rgb, encode_image
from cadsight_core.sample import Sample, Split
from cadsight_core.storage.files import inside, make_folder
from cadsight_core.storage.output_file import write_same
from cadsight_core.storage.output_folder import refuse_foreign

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


def read_frames(path: str | Path, fps: float = 2.0) -> Iterator[tuple[int, float, Rgb]]:
    """Index, seconds and RGB (H, W, 3) of frames that are 1/``fps`` apart, the first one included.

    All frames come where the video has fewer than ``fps`` a second.

    Raises:
        CadsightError: for a missing file, one that is no video or without frames, or ``fps`` of zero or less.
    """
    path = Path(path)
    video = _opened(path, fps)
    try:
        rate = video.get(cv2.CAP_PROP_FPS)
        index, due = 0, 0.0
        while video.grab():
            # Telephones film with changing rates, so the stamp counts; some containers have none.
            stamp = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            seconds = stamp if stamp > 0 or index == 0 or rate <= 0 else index / rate
            # Half a millisecond: stamps are rounded.
            if seconds >= due - 0.0005:
                whole, frame = video.retrieve()
                if whole:
                    yield index, seconds, np.ascontiguousarray(frame[..., ::-1], np.uint8)
                due = max(due + 1 / fps, seconds + 0.5 / fps)
            index += 1
        if index == 0:
            raise CadsightError(f"the video {path} has no frames that can be decoded, expected one or more")
    finally:
        video.release()


def write_frames(
    path: str | Path,
    folder: str | Path,
    fps: float = 2.0,
    *,
    grey: bool = False,
    suffix: str = ".png",
    progress: Progress = lambda items, _total, _what: items,
) -> list[Path]:
    """Write the frames of a video as VIDEO_INDEX.png into ``folder``; returns the files.

    An interrupted run is simply repeated: frames that are there stay, anything else under their names is refused.

    Raises:
        CadsightError: as :func:`read_frames`, for a file that is there and is not the frame, such as that of another
            video of the same name, or when the disk refuses the bytes.
    """
    path, folder = Path(path), Path(folder)
    total = _expected(path, fps)
    make_folder(folder)
    files = []
    for index, _, frame in progress(read_frames(path, fps), total, "frames"):
        if grey:
            frame = _grey(frame)
        file = inside(folder, f"{path.stem}_{index:06d}{suffix}")
        write_same(file, encode_image(frame, file))
        files.append(file)
    return files


def write_backgrounds(
    path: str | Path,
    folder: str | Path,
    fps: float = 2.0,
    *,
    grey: bool = False,
    split: Split = "",
    progress: Progress = lambda items, _total, _what: items,
) -> Dataset:
    """Add the frames of a video that shows no part to the data set ``folder``, or to a new one without classes.

    They are images of a class of their own (Morato, section 6.1): ``record["background"]`` notes that nothing is on
    them on purpose, and YOLO gets an empty label file, which is its background. Frames that are there already stay.

    Raises:
        CadsightError: as :func:`read_frames`, when a frame of this name shows something else, such as of another video
            of the same name, for a folder that holds anything else, or when the disk refuses the bytes.
    """
    path = Path(path)
    total = _expected(path, fps)
    dataset = _set_of_backgrounds(folder)
    for index, seconds, frame in progress(read_frames(path, fps), total, "frames"):
        name = f"background_{path.stem}_{index:06d}"
        frame = _grey(frame) if grey else frame
        if name in dataset:
            if not np.array_equal(dataset.image(dataset[name]), frame):
                raise CadsightError(
                    f"{dataset.folder} has another image called {name!r} than frame {index} of {path}, expected the "
                    "same: give one of two videos of the same name another name"
                )
            continue
        record = {"background": True, "video": path.name, "frame": index, "seconds": round(seconds, 3)}
        size = ImageSize(frame.shape[1], frame.shape[0])
        sample = Sample(name, Path(f"{name}.png"), size, split=split, record=record)
        dataset.append(sample, frame)
    return dataset


def _set_of_backgrounds(folder: str | Path) -> Dataset:
    """The data set that is in ``folder``, or a new one: in a set of others it would hide what they hold."""
    if Dataset.is_one(folder):
        return Dataset.open(folder)
    try:
        return Dataset.create(refuse_foreign(folder, replace=False), ())
    except CadsightError as error:
        hint = "or a data set of ours, which `cadsight data convert --to cadsight` makes of another format"
        raise CadsightError(f"{error}, {hint}") from error


def _grey(frame: Rgb) -> Rgb:
    return np.repeat(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def _expected(path: Path, fps: float) -> int:
    """About how many frames will come, by the header of the container."""
    video = _opened(path, fps)
    rate, count = video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)
    video.release()
    return max(int(count * min(fps / rate, 1.0)), 1) if rate > 0 and count > 0 else 1


def _opened(path: Path, fps: float) -> cv2.VideoCapture:
    if not fps > 0:
        raise CadsightError(f"{fps:g} frames a second are wanted of {path}, expected more than 0")
    if not path.is_file():
        raise CadsightError(f"the video {path} does not exist, expected a file")
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not video.isOpened():
        raise CadsightError(f"{path} could not be read as a video, expected MP4, AVI, MOV or the like")
    return video
