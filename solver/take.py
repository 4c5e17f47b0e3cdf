"""A take: what a solve produced, as one versioned ``.npz``. Needs numpy alone, so that Blender's side reads it too.

World: metres, OpenCV axes (x right, y down, z forward); with a static camera it is the camera's own frame.
``T`` frames, ``H`` hands, 16 joints in MANO order, 21 keypoints in OpenPose order
(wrist, thumb 4, index 4, ... pinky 4).
"""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .atomic import write_npz
from .camera.cameras import SOLVED, CameraPath, ScaleEstimate
from .errors import SolverError

FORMAT = "handheld-take"
VERSION = 1
CAMERA_KINDS = ("static", "rotation", "general", "given")
SIDES = ("left", "right")
# status of a hand in a frame; RESTING: out of sight for too long to be invented, put to rest on request
MISSING, OBSERVED, INFILLED, RESTING = 0, 1, 2, 3


@dataclass(frozen=True)
class Take:
    """Two (or any number of) hands and one camera over time.

    Attributes:
        clip_path: the movie, or the first image of a sequence.
        clip_sha256: digest of the clip's content (``video.content_digest``), "" when unknown.
        frame_rate: exact rate (numerator, denominator), e.g. (30000, 1001).
        size: (width, height) of the clip in px, after its rotation metadata is applied.
        frames: (T,) int, the clip's frame numbers, rising, step one.
        intrinsics: (4,) fx, fy, cx, cy in px; pixel centres at half-integers (COLMAP's and Blender's convention).
        world_from_camera: (T, 4, 4) rigid, OpenCV camera (x right, y down, z forward).
        camera_kind: one of CAMERA_KINDS.
        camera_status: (T,) uint8, how a frame's pose is known: ``camera.cameras`` ASSUMED, BRIDGED or SOLVED.
        camera_error_px: (T,) median reprojection error of the background; NaN where nothing was measured.
        camera_sigma: (T, 2) one-sigma of each frame's pose in the world (rad, m), apart from what all frames share: the
            world's size and vertical, below. NaN where unknown, empty when it was not computed.
        camera_step_sigma: (T, 2) the same of the step from the frame before, where the hands' motion was loosened for
            it, as a re-solve then does, too. Empty when it was not.
        camera_scale: how the camera's path came to metres: ``metres_per_unit``, ``low`` and ``high`` (95 % interval of
            the true size over the one that the take has), ``determined`` and ``cues``, as in
            ``camera.cameras.ScaleEstimate``; None where size has no meaning (no travel) or came with the camera.
        focal_sigma: relative one-sigma of the focal length, 0 when it was given; None where it was merely assumed.
        up_sigma: one-sigma in radians of the world's vertical (-y); None where nothing is known of it.
        points: (N, 3) sparse points of the background in the world, ``point_errors_px`` (N,) their reprojection errors.
        distortion, distortion_model: the lens's, as ``camera.cameras.CameraPath`` has it.
        model: name of the hand model ("open", or the user's file name), and ``model_sha256`` its digest.
        sides: (H,) of "left"/"right".
        betas: (H, 10) shape coefficients of that model.
        rotations: (H, T, 16, 3, 3) local joint rotations, [0] is global_orient, flat mean included; NaN where missing.
        transl: (H, T, 3) metres, smplx meaning; NaN where missing.
        status: (H, T) uint8 of MISSING / OBSERVED / INFILLED / RESTING.
        confidence: (H, T) in 0..1, 0 where missing.
        keypoints_px: (H, T, 21, 2) calibrated 2D landmarks that the solve used, in px of the clip; NaN where none.
        keypoint_covariance_px: (H, T, 21, 2, 2) their covariance in px^2; NaN where none.
        landmarks_m: (H, T, 21, 3) the tracker's own metric hand, as in ``observations.HandTrack``; NaN where none.
            Empty when there are none at all: a re-solve then lacks this evidence.
        drawn_size: (H, T) logarithm of how much larger a hand's landmarks were to the solve than ``keypoints_px`` shows
            them, about their middle: what the tracker draws too small. 0 where unknown, empty when it was not asked.
        reprojection_px: (H, T) median distance of a hand's landmarks from the tracked ones; NaN where none. Empty when
            it was not computed.
        joint_sigma: (H, T, 21) metres, deviation per axis of each keypoint in the world, relative to the wrist for all
            but the wrist itself; NaN where missing or not computed.
        distance_sigma: (H, T) metres, deviation of the hand's distance from the lens, of which most is common to all
            frames (how long the hand is, how large the tracker draws it); the wrist's ``joint_sigma`` is the mean over
            this direction and the two across it. NaN likewise, empty when it was not computed.
        outline_overlap: (H, T) of the hand and its mask in the picture together, the share that both cover; NaN where
            no mask could be trusted. Empty when outlines were not looked at.
        landmark_share: (H, T) factor on the information of a hand's landmarks (as a square root) beside its outline;
            NaN where it is missing. outline_information: (H, T, d (d + 1) / 2) float32, upper triangle of what outlines
            (or the rendered hand) say of the pose, in the solver's d variables of a hand (turn and place in the world,
            hinges' angles; ``optimise.layout``), as a Gauss-Newton matrix, and outline_slope: (H, T, d) float32, their
            gradient; 0 where there is none. All three empty when outlines were not looked at.
        landmark_offsets: (21, 3) bone-local offsets joint -> landmark, metres at mean hand size, right hand.
        provenance: JSON-able facts: solver version, options, seconds per stage.
    """

    clip_path: str
    frame_rate: tuple[int, int]
    size: tuple[int, int]
    frames: np.ndarray
    intrinsics: np.ndarray
    world_from_camera: np.ndarray
    camera_kind: str
    camera_status: np.ndarray
    camera_error_px: np.ndarray
    points: np.ndarray
    model: str
    model_sha256: str
    sides: tuple[str, ...]
    betas: np.ndarray
    rotations: np.ndarray
    transl: np.ndarray
    status: np.ndarray
    confidence: np.ndarray
    keypoints_px: np.ndarray
    keypoint_covariance_px: np.ndarray
    joint_sigma: np.ndarray
    landmark_offsets: np.ndarray
    clip_sha256: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    point_errors_px: np.ndarray = field(default_factory=lambda: np.zeros(0))
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(2))
    distortion_model: str = "POLYNOMIAL"
    landmarks_m: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 21, 3)))
    drawn_size: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    reprojection_px: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    outline_overlap: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    landmark_share: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    outline_information: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    outline_slope: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    distance_sigma: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    camera_sigma: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    camera_step_sigma: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    camera_scale: dict[str, Any] | None = None
    focal_sigma: float | None = None
    up_sigma: float | None = None

    def __post_init__(self) -> None:
        _check_shapes(self)

    def camera(self) -> CameraPath:
        """The camera as the stages know it, its own errors included: hands' motion in the world has them, too."""
        told = self.camera_scale
        return CameraPath(
            self.camera_kind, self.intrinsics, self.world_from_camera, self.distortion, self.camera_status,
            self.camera_error_px, points=self.points, point_errors_px=self.point_errors_px,
            distortion_model=self.distortion_model,
            pose_sigma=self.camera_step_sigma if self.camera_step_sigma.size else None,
            expected_error=self.camera_sigma if self.camera_sigma.size else None,
            scale=ScaleEstimate(**{**told, "cues": tuple(told["cues"])}) if told else None,
        )  # fmt: skip

    def moved(self, **changes: Any) -> Take:
        """The take with other poses: what outlines said around those that it had is no more of use."""
        none = np.zeros((0, 0, 0), np.float32)
        return dataclasses.replace(
            self, landmark_share=np.zeros((0, 0)), outline_information=none, outline_slope=none, **changes
        )

    def coverage(self) -> np.ndarray:
        """(H,) share of frames in which each hand is not missing."""
        return (self.status != MISSING).mean(axis=1) if len(self.sides) else np.zeros(0)


_ARRAYS = (
    "frames", "intrinsics", "world_from_camera", "camera_status", "camera_error_px", "points",
    "betas", "rotations", "transl", "status", "confidence",
    "keypoints_px", "keypoint_covariance_px", "joint_sigma", "landmark_offsets", "point_errors_px", "distortion",
    "landmarks_m", "reprojection_px", "outline_overlap", "camera_sigma", "camera_step_sigma",
    "distance_sigma", "drawn_size",
    "landmark_share", "outline_information", "outline_slope",
)  # fmt: skip


def _check_shapes(take: Take) -> None:
    t, h = len(take.frames), len(take.sides)
    expected = {
        "intrinsics": (4,),
        "world_from_camera": (t, 4, 4),
        "camera_status": (t,),
        "camera_error_px": (t,),
        "points": (len(take.points), 3),
        "betas": (h, 10),
        "rotations": (h, t, 16, 3, 3),
        "transl": (h, t, 3),
        "status": (h, t),
        "confidence": (h, t),
        "keypoints_px": (h, t, 21, 2),
        "keypoint_covariance_px": (h, t, 21, 2, 2),
        "joint_sigma": (h, t, 21),
        "landmark_offsets": (21, 3),
        "point_errors_px": (len(take.point_errors_px),),
        "distortion": (len(take.distortion),),
        "landmarks_m": (h, t, 21, 3) if take.landmarks_m.size else take.landmarks_m.shape,
        "drawn_size": (h, t) if take.drawn_size.size else take.drawn_size.shape,
        "reprojection_px": (h, t) if take.reprojection_px.size else take.reprojection_px.shape,
        "outline_overlap": (h, t) if take.outline_overlap.size else take.outline_overlap.shape,
        "landmark_share": (h, t) if take.landmark_share.size else take.landmark_share.shape,
        **{name: _by_hand(getattr(take, name), h, t) for name in ("outline_information", "outline_slope")},
        "distance_sigma": (h, t) if take.distance_sigma.size else take.distance_sigma.shape,
        "camera_sigma": (t, 2) if take.camera_sigma.size else take.camera_sigma.shape,
        "camera_step_sigma": (t, 2) if take.camera_step_sigma.size else take.camera_step_sigma.shape,
    }
    for name, shape in expected.items():
        if np.shape(getattr(take, name)) != shape:
            raise ValueError(f"take.{name} has shape {np.shape(getattr(take, name))}, expected {shape}")
    if take.camera_kind not in CAMERA_KINDS or any(side not in SIDES for side in take.sides):
        raise ValueError(f"unknown camera kind {take.camera_kind!r} or side in {take.sides}")


def _by_hand(array: np.ndarray, hands: int, frames: int) -> tuple[int, ...]:
    return (hands, frames, array.shape[-1]) if array.size else array.shape


def save(take: Take, path: str | os.PathLike[str]) -> None:
    """Write atomically: the file at ``path`` is either the old one or the whole new one.

    Raises:
        SolverError: ``take-not-writable``.
    """
    path = Path(path)
    header = {
        "format": FORMAT,
        "version": VERSION,
        **{f.name: getattr(take, f.name) for f in dataclasses.fields(take) if f.name not in _ARRAYS},
    }
    arrays = {name: np.asarray(getattr(take, name)) for name in _ARRAYS}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_npz(path, {"header": np.array(json.dumps(header)), **arrays})
    except OSError as error:
        raise _not_writable(path, error) from error


def _not_writable(path: Path, error: OSError) -> SolverError:
    return SolverError(
        "take-not-writable",
        f"The take could not be written to {path} ({error.strerror}).",
        "Choose a folder that you may write to, or free some space.",
    )


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out before a long solve whether ``save`` will be able to write there.

    Raises:
        SolverError: ``take-not-writable``.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise _not_writable(path, error) from error


def load(path: str | os.PathLike[str]) -> Take:
    """Read a take; never unpickles.

    Raises:
        SolverError: ``take-not-readable`` or ``take-too-new``.
    """
    try:
        content = Path(path).read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            header = json.loads(str(data["header"]))
            arrays = {name: data[name] for name in _ARRAYS if name in data}
    except OSError as error:
        raise SolverError(
            "take-not-readable", f"{path} could not be read ({error.strerror}).", "Choose a take, or solve again."
        ) from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:  # whose words aren't meant for artists
        raise SolverError(
            "take-not-readable",
            f"{path} is no take, or it is damaged.",
            "Choose a take, import it as a result if another program or an export wrote it, or solve the clip again.",
        ) from error
    if header.get("format") != FORMAT or header.get("version", 0) > VERSION:
        raise SolverError(
            "take-too-new",
            f"{path} was written by a newer version (take version {header.get('version')}, known up to {VERSION}).",
            "Update Handheld.",
        )
    return _from_header(header, arrays, path)


def _from_header(header: dict[str, Any], arrays: dict[str, np.ndarray], path: str | os.PathLike[str]) -> Take:
    fields = {k: v for k, v in header.items() if k not in ("format", "version")}
    for name in ("frame_rate", "size", "sides"):
        fields[name] = tuple(fields.get(name, ()))
    try:
        return Take(**fields, **_first_takes_lacked(arrays), **arrays)
    except (TypeError, ValueError) as error:
        raise SolverError("take-not-readable", f"{path} is damaged: {error}.", "Solve the clip again.") from error


def _first_takes_lacked(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What takes of the first days don't have: their cameras stood still or were given, nothing was stated of them."""
    frames, status = arrays.get("frames", np.zeros(0)), arrays.get("status", np.zeros((0, 0)))
    defaults = {
        "camera_status": np.full(len(frames), SOLVED, np.uint8),
        "camera_error_px": np.full(len(frames), np.nan),
        "points": np.zeros((0, 3)),
        "joint_sigma": np.full((*status.shape, 21), np.nan),
    }
    return {name: value for name, value in defaults.items() if name not in arrays}
