"""The whole way from a described set to hand-eye calibrations with what is known of them."""

from dataclasses import dataclass, field
from pathlib import Path

from cadsight_core.camera import Camera
from cadsight_core.config.parameters import check
from cadsight_core.errors import CadsightError
from cadsight_core.geometry import Pose

from cadsight_calibration.data.description import CameraEntry, Description
from cadsight_calibration.data.loading import ArmPoses, CameraImages, look
from cadsight_calibration.fault import Fault
from cadsight_calibration.hand_eye.evaluation import Evaluation, EvaluationParameters, evaluate
from cadsight_calibration.hand_eye.hand_eye_file import HandEye
from cadsight_calibration.hand_eye.prior_checks import check_arm, check_expected, check_size
from cadsight_calibration.hand_eye.solving import Solved, SolveParameters, solve_hand_eye


@dataclass(frozen=True)
class CalibrationParameters:
    """How a set is calibrated."""

    solve: SolveParameters = field(default_factory=SolveParameters)
    evaluation: EvaluationParameters = field(default_factory=EvaluationParameters)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """One camera of a set.

    Attributes:
        images: number of images that were looked at; kept: of those in the fit.
    """

    name: str
    images: int
    solved: Solved
    evaluation: Evaluation
    hand_eye: HandEye

    @property
    def kept(self) -> int:
        return len(self.solved.kept)


def calibrate_camera_of(
    entry: CameraEntry,
    description: Description,
    poses: ArmPoses,
    folder: Path,
    parameters: CalibrationParameters,
    camera: Camera | None = None,
) -> Calibrated:
    """Calibrate one camera of a set.

    Args:
        camera: intrinsics in place of those that the description names.

    Raises:
        CadsightError: as :func:`cadsight_calibration.data.loading.look` and
            :func:`cadsight_calibration.hand_eye.solving.solve_hand_eye`.
    """
    images = look(entry, poses, description.board, folder, camera)
    return calibrate_images(images, entry, description, poses, parameters)


def calibrate_images(
    images: CameraImages,
    entry: CameraEntry,
    description: Description,
    poses: ArmPoses,
    parameters: CalibrationParameters,
) -> Calibrated:
    """Calibrate one camera from boards that were found already.

    Raises:
        CadsightError: as :func:`cadsight_calibration.hand_eye.solving.solve_hand_eye`.
    """
    arm = check_arm(poses)
    try:
        solved = solve_hand_eye(images, poses, parameters.solve)
    except CadsightError as error:
        if arm is None:
            raise
        # Another model than the arm's is the likelier reason, where it is known.
        raise CadsightError(f"{error}; {arm.sentence}") from error
    checks: list[Fault | None] = [
        arm,
        check_size(solved.problem, solved.kept_solution, description.board.words),
        check_expected(description, solved.solution),
    ]
    faults = [*solved.faults, *(fault for fault in checks if fault is not None)]
    evaluation = evaluate(solved.problem, solved.kept_solution, parameters.evaluation)
    solution, frame = solved.solution, description.base_frame
    looked = len(images.images) + sum(len(f.images) for f in images.faults)
    figures = {
        **evaluation.to_json(),
        "images": looked,
        "kept": len(solved.kept),
        "used": [solved.everything.views.names[i] for i in solved.kept],
        "found": [fault.to_json() for fault in faults],
    }
    hand_eye = HandEye(
        description.setup,
        frame if description.setup == "eye_to_hand" else "tool0",
        Pose.from_matrix(solution.camera),
        solved.camera if solved.camera.frame == entry.frame else _framed(solved.camera, entry.frame),
        entry.serial,
        Pose.from_matrix(solution.boards[-1]),
        evaluation.joint_covariance,
        evaluation.noise_px,
        len(solved.kept),
        figures,
        tuple(fault.sentence for fault in faults),
    )
    return Calibrated(entry.name, looked, solved, evaluation, hand_eye)


def _framed(camera: Camera, frame: str) -> Camera:
    return Camera(camera.size, camera.fx, camera.fy, camera.cx, camera.cy, camera.distortion, frame)
