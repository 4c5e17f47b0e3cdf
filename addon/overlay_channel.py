"""How well a hand covers its mask in the picture, as a channel that an artist sees in the graph editor."""

from __future__ import annotations

import bpy
import numpy as np

from . import animation

CHANNEL = "outline_overlap"


def write(armature: bpy.types.Object, scene_frames: np.ndarray, overlap: np.ndarray) -> None:
    """Key the custom property ``CHANNEL`` (0..1) where it is known; without any such frame it has no keys."""
    known = np.isfinite(overlap)
    path = f'["{CHANNEL}"]'
    animation.remove_generated(armature, path)
    if not known.any():
        return
    armature[CHANNEL] = float(overlap[known][0])
    about = "Share of hand and its mask in the picture that both cover"
    armature.id_properties_ui(CHANNEL).update(min=0.0, max=1.0, description=about)
    animation.write(armature, [animation.Channel(path, 0, "Outline", scene_frames[known], overlap[known])])
