"""What other programs' files become: hands in MANO's terms, in our frames, and a camera if the file has one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Result:
    """Hands over time. H hands, T frames, OpenCV axes, metres.

    Attributes:
        program: where it comes from, for a person to read.
        sides: (H,) of "left"/"right".
        rotations: (H, T, 16, 3, 3) local, [0] is global_orient, flat mean included, of a true left hand where the side
            is left; NaN where missing.
        transl: (H, T, 3) as smplx means it with MANO's own rest pose; NaN where missing.
        betas: (H, 10) of ``model``.
        status: (H, T) uint8 of ``take.MISSING`` / OBSERVED / INFILLED.
        model: the model that betas belong to: "mano", or "open".
        world_from_camera: (T, 4, 4), or None where the world is the camera's own frame.
        intrinsics: (4,) fx, fy, cx, cy in px, or None.
        size: (width, height) in px, or None.
        frames: (T,) frame numbers as the file names them, rising, or None.
        keypoints: (H, T, 21, 3) in the same frame, OpenPose order, NaN where there are none; None: none at all.
        focal_is_virtual: the translation was made for ``intrinsics`` rather than for the clip's own lens.
        notes: what the person should know.
    """

    program: str
    sides: tuple[str, ...]
    rotations: np.ndarray
    transl: np.ndarray
    betas: np.ndarray
    status: np.ndarray
    model: str = "mano"
    world_from_camera: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    size: tuple[int, int] | None = None
    frames: np.ndarray | None = None
    keypoints: np.ndarray | None = None
    focal_is_virtual: bool = False
    notes: tuple[str, ...] = field(default=())


MIRROR = np.diag([-1.0, 1.0, 1.0])
"""x -> -x. A left hand's rotation R is MIRROR R' MIRROR of the right hand's R' that looks like it in a mirror."""


def mirrored(rotations: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations of a right hand -> those of the left hand that is its mirror image in x, and back."""
    return MIRROR @ rotations @ MIRROR
