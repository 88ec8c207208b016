"""The truth of a simulated session, for the report alone; a real cell has none."""

from dataclasses import replace
from typing import Protocol

from cadsight_core.box import Box
from cadsight_core.geometry import Array, Pose
from cadsight_core.imaging.opengl import needing_opengl
from cadsight_core.parts.part import Part
from cadsight_core.sample import Instance, Sample
from cadsight_core.storage.folders.session_folder import SessionFolder
from numpy.typing import NDArray


class TrueFrame(Protocol):
    """What was really in a frame; the normal (3,) is in the camera's optical frame.

    ``mask`` (H, W) and ``box`` are of what can be seen of the part; the box is None where nothing can.
    """

    @property
    def mask(self) -> NDArray: ...
    @property
    def box(self) -> Box | None: ...
    @property
    def camera_from_part(self) -> Pose: ...
    @property
    def normal(self) -> Array: ...


class Truth(Protocol):
    """A session as it really was; see :class:`cadsight_cell.simulation.truth.Truth`."""

    part: Part

    @property
    def stamps(self) -> tuple[int, ...]: ...
    def at(self, stamp_ns: int) -> TrueFrame: ...
    def pose(self, stamp_ns: int) -> Pose: ...


def truth_of(session: SessionFolder) -> Truth | None:
    """The truth kept beside a session, or None where there is none, as on a real cell.

    Raises:
        CadsightError: where there is one and OpenGL cannot draw it.
    """
    if not (session.truth / "scene.json").is_file():
        return None
    with needing_opengl():
        from cadsight_cell.simulation.truth import Truth as RenderedTruth

    return RenderedTruth(session.truth)


def true_sample(sample: Sample, frame: TrueFrame, class_id: int) -> Sample:
    """``sample`` with what was really on it in place of its labels."""
    if frame.box is None:
        return replace(sample, instances=())
    instance = Instance(
        class_id,
        frame.box,
        mask=frame.mask,
        camera_from_part=frame.camera_from_part,
        normal=frame.normal,
        source="render",
    )
    return replace(sample, instances=(instance,))
