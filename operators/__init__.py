"""Thin operators: each calls one function of ``addon`` and reports its result."""

import bpy

from . import (
    camera,
    clip,
    clip_tracks,
    export,
    hints,
    keys,
    overlay,
    pins,
    resolve,
    retarget,
    review,
    running,
    solve,
    take,
)

# a file a feature
_FEATURES = (camera, clip, solve, resolve, pins, keys, clip_tracks, hints, review, take, retarget, export, overlay)
CLASSES = tuple(cls for feature in _FEATURES for cls in feature.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    running.remove_timer()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
