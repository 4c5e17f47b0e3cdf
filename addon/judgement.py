"""How sure the solver is of a hand by now, as keyed custom properties: so undo, redo and other takes bring theirs."""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.hand_model.layout import FINGERS
from . import animation

_CONFIDENCE, _ERROR = "confidence", "error_px"
_FINGERS = tuple(f"{_CONFIDENCE}_{finger}" for finger in FINGERS)


def write(
    armature: bpy.types.Object,
    scene_frames: np.ndarray,
    confidence: np.ndarray,
    fingers: np.ndarray,
    error_px: np.ndarray,
    within: tuple[float, float] | None = None,
) -> None:
    """Key "confidence" (n,), "confidence_thumb" ... (n, 5) and, where it is known, "error_px" (n,).

    Args:
        within: no key outside these scene frames is touched. None: everywhere.
    """
    _define(armature, _CONFIDENCE, confidence, "How sure the solver is of this hand", 1.0)
    for name, finger, values in zip(_FINGERS, FINGERS, fingers.T, strict=True):
        _define(armature, name, values, f"How sure the solver is of the {finger}", 1.0)
    known = np.isfinite(error_px)
    if known.any():
        _define(armature, _ERROR, error_px[known], "Median distance from the landmarks in the picture, in px")
    columns = [_channel(_CONFIDENCE, scene_frames, confidence)]
    columns += [_channel(name, scene_frames, values) for name, values in zip(_FINGERS, fingers.T, strict=True)]
    if known.any() or _ERROR in armature:
        columns.append(_channel(_ERROR, scene_frames[known], error_px[known]))
    animation.write(armature, columns, within)


def is_there(armature: bpy.types.Object) -> bool:
    """Has the hand errors in px? One that an earlier version made has not."""
    return _ERROR in armature


def read(armature: bpy.types.Object, scene_frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence (n,), fingers (n, 5) and error_px (n,) as they are keyed; NaN where they aren't."""
    keys = animation.keys_of(armature, [_path(name) for name in (_CONFIDENCE, *_FINGERS, _ERROR)])
    columns = []
    for known in keys:
        column = np.full(len(scene_frames), np.nan)
        there, at = np.isin(scene_frames, known[:, 0]), np.searchsorted(known[:, 0], scene_frames)
        column[there] = known[at[there], 1]
        columns.append(column)
    return columns[0], np.stack(columns[1:-1], axis=1), columns[-1]


def _define(
    armature: bpy.types.Object, name: str, values: np.ndarray, description: str, most: float | None = None
) -> None:
    if name not in armature:
        armature[name] = float(values[0]) if len(values) else 0.0
    limits = {} if most is None else {"max": most}
    armature.id_properties_ui(name).update(min=0.0, description=description, **limits)


def _channel(name: str, scene_frames: np.ndarray, values: np.ndarray) -> animation.Channel:
    return animation.Channel(_path(name), 0, "Confidence", scene_frames, values)


def _path(name: str) -> str:
    return f'["{name}"]'
