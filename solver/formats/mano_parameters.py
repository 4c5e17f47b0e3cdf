"""MANO parameters as the smplx package takes them, in and out.

One ``.npz``. Each hand has its keys with a prefix, ``left_`` and ``right_`` (a second left hand: ``left2_``); a file of
one hand may leave the prefix out and say ``side``. All rotations are rotation vectors in radians.

=====================  ============  ================================================================================
key                    shape         meaning
=====================  ============  ================================================================================
global_orient          (T, 3)        of the wrist, in the world
hand_pose              (T, 45)       15 joints in MANO's order, or (T, n) PCA coefficients if ``use_pca``
betas                  (10,)         or (T, 10) or (1, 10)
transl                 (T, 3)        metres, smplx's meaning
is_there               (T,) bool     False: the other values are NaN (optional)
flat_hand_mean         bool          True: ``hand_pose`` is the whole pose. False: MANO's mean is still to be added
use_pca                bool          True: ``hand_pose`` are PCA coefficients
world_from_camera      (T, 4, 4)     OpenCV camera (optional), with ``intrinsics`` (4,) and ``size`` (2,) in px
frames, frame_rate     (T,), (2,)    clip's frame numbers; rate as numerator and denominator (optional)
model                  text          "mano", or "open" where betas are those of Handheld's own hand
=====================  ============  ================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..hand_model.model import HandModel
from ..hand_model.rotations import exp, log
from ..take import MISSING, OBSERVED, Take
from .result import Result

_KEY = re.compile(r"((?:left|right)\d*)_global_orient")


def is_parameters(content: dict[str, Any]) -> bool:
    """Does a file's content look like MANO parameters over time?"""
    keys = set(content)
    alone = {"global_orient", "hand_pose", "transl"} <= keys and np.ndim(content["transl"]) == 2 and "side" in keys
    return alone or any(_KEY.fullmatch(key) for key in keys)


def result(content: dict[str, Any], models: Mapping[str, HandModel] | None = None) -> Result:
    """MANO parameters as a ``Result``.

    Args:
        content: arrays by key, as in the table above.
        models: by side; needed for PCA coefficients and for a mean that is still to be added.

    Raises:
        KeyError, ValueError: a key is missing or has another shape.
    """
    prefixes = [match[1] for key in content if (match := _KEY.fullmatch(key))]
    hands = [_hand(content, f"{prefix}_", re.sub(r"\d", "", prefix), models) for prefix in prefixes]
    if not hands:
        hands = [_hand(content, "", str(content["side"]), models)]
    sides, rotations, transl, betas, there = zip(*hands, strict=True)
    frames = content.get("frames")
    size = content.get("size")
    return Result(
        program="MANO parameters",
        sides=sides,
        rotations=np.stack(rotations),
        transl=np.stack(transl),
        betas=np.stack(betas),
        status=np.where(np.stack(there), OBSERVED, MISSING).astype(np.uint8),
        model=str(content.get("model", "mano")),
        world_from_camera=None if "world_from_camera" not in content else np.array(content["world_from_camera"], float),
        intrinsics=None if "intrinsics" not in content else np.array(content["intrinsics"], float),
        size=None if size is None else (int(size[0]), int(size[1])),
        frames=None if frames is None else np.array(frames, int),
    )


def _hand(
    content: dict[str, Any], prefix: str, side: str, models: Mapping[str, HandModel] | None
) -> tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    transl = np.array(content[f"{prefix}transl"], float)
    count = len(transl)
    pose = np.reshape(np.array(content[f"{prefix}hand_pose"], float), (count, -1))
    flat, pca = bool(content.get("flat_hand_mean", True)), bool(content.get("use_pca", False))
    if (pca or not flat) and models is None:
        raise ValueError("its pose needs the hand model it was made with (PCA, or a mean that is to be added)")
    if pca:
        fingers = models[side].hand_pose_from_pca(pose, flat)
    else:
        fingers = exp((pose if flat else pose + models[side].hands_mean).reshape(count, 15, 3))
    orient = exp(np.reshape(np.array(content[f"{prefix}global_orient"], float), (count, 1, 3)))
    rotations = np.concatenate([orient, fingers], axis=1)
    there = np.array(content.get(f"{prefix}is_there", np.isfinite(transl).all(axis=1)), bool)
    rotations[~there], transl[~there] = np.nan, np.nan
    betas = np.reshape(np.array(content[f"{prefix}betas"], float), (-1, 10)).mean(axis=0)
    return side, rotations, transl, betas, there


def arrays(
    take: Take, models: Mapping[str, HandModel], pca_count: int = 0, flat_hand_mean: bool = True
) -> dict[str, np.ndarray]:
    """A take as MANO parameters.

    Args:
        take: any.
        models: by side, whose mean and components ``flat_hand_mean=False`` and ``pca_count`` use.
        pca_count: 0: rotation vectors; else that many coefficients (45: without loss but for full turns).
        flat_hand_mean: False takes the model's mean off, as smplx adds it by default.
    """
    out: dict[str, Any] = {
        "flat_hand_mean": np.array(flat_hand_mean),
        "use_pca": np.array(pca_count > 0),
        "model": np.array("open" if take.model == "open" else "mano"),
        "world_from_camera": take.world_from_camera,
        "intrinsics": take.intrinsics,
        "size": np.array(take.size),
        "frames": take.frames,
        "frame_rate": np.array(take.frame_rate),
    }
    numbers: dict[str, int] = {}
    for row, side in enumerate(take.sides):
        numbers[side] = numbers.get(side, 0) + 1
        prefix = side + (str(numbers[side]) if numbers[side] > 1 else "") + "_"
        there = take.status[row] != MISSING
        vectors = np.full((len(there), 16, 3), np.nan)
        vectors[there] = log(take.rotations[row, there])
        pose = vectors[:, 1:].reshape(-1, 45)
        if not flat_hand_mean:
            pose = pose - models[side].hands_mean
        if pca_count:  # the components are orthonormal in MANO, not in every model
            pose = pose @ np.linalg.pinv(models[side].hands_components[:pca_count])
        out |= {
            f"{prefix}global_orient": vectors[:, 0],
            f"{prefix}hand_pose": pose,
            f"{prefix}betas": take.betas[row],
            f"{prefix}transl": take.transl[row],
            f"{prefix}is_there": there,
        }
    return {key: np.asarray(value) for key, value in out.items()}
