"""Keys that an artist inserts over the solver's to say "this is right": Blender leaves such a key as it was but for its
selection, type and value included, so they are noticed when they are set.

An insertion selects the keys that it makes, and is the newest of the window manager's operators; nothing else tells
them from keys that were there, and no handler of Blender's is called. So a timer looks, and whoever needs to know. Keys
that were selected before count only on bones and cameras that are selected: an insertion elsewhere makes none of those.
The operator's undo step was taken before that: what was claimed is remembered, and claimed again in a step that an undo
or redo comes back to. Keys that a script inserts over others as they stand are not noticed.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
from bpy.app.handlers import persistent

from . import animation

_INSERTING = frozenset(
    f"{editor}_OT_{operator}"
    for editor, operators in {
        "ANIM": ("keyframe_insert", "keyframe_insert_menu", "keyframe_insert_by_name", "keyframe_insert_button"),
        "ACTION": ("keyframe_insert",),
        "GRAPH": ("keyframe_insert",),
    }.items()
    for operator in operators
)
_BONES_ARE_SELECTED_POSED = bpy.app.version >= (5, 0, 0)
_PERIOD_SECONDS = 0.2
# an action, a path and which of its components
_Component = tuple[int, str, int]
# of this session: frames and values
_claimed: dict[_Component, set[tuple[float, float]]] = {}
# the insertion that was looked at last: what is selected after it is none of its doing; where the next one happens,
# and what is selected there already
_looked_at = 0
_frame = 0
_before: set[_Component] = set()


def notice() -> None:
    """Claim what the artist's last operator inserted, if it did."""
    global _looked_at, _frame, _before
    done = bpy.context.window_manager.operators[-1:]
    newest = next((operator.as_pointer() for operator in done if operator.bl_idname in _INSERTING), 0)
    if newest and newest != _looked_at:
        claim_inserted(bpy.context.scene, _frame, _before)
    if bpy.context.scene.frame_current != _frame:
        _before = set()
    _looked_at, _frame = newest, bpy.context.scene.frame_current


def selected(scene: bpy.types.Scene, frame: int) -> set[_Component]:
    """What has a key of the solver's in a frame that is selected."""
    return {which for _, which, curve in _curves(scene) if animation.selected_generated(curve, frame)}


def claim_inserted(scene: bpy.types.Scene, frame: int, before: set[_Component]) -> None:
    """Make the solver's keys in a frame that are selected, as just inserted ones are, the artist's.

    Args:
        before: what was ``selected`` before the insertion.
    """
    for thing, which, curve in _curves(scene):
        key = animation.selected_generated(curve, frame)
        if key and (which not in before or curve.data_path.startswith(_chosen(thing))):
            key.type = "KEYFRAME"
            _claimed.setdefault(which, set()).add(tuple(key.co))


def claim_again(scene: bpy.types.Scene) -> None:
    """What ``claim_inserted`` found, in a state of the scene from before it was called."""
    for _, which, curve in _curves(scene) if _claimed else ():
        for frame, value in _claimed.get(which, ()):
            key = animation.selected_generated(curve, frame)
            if key and key.co[1] == value:
                key.type = "KEYFRAME"


def _curves(scene: bpy.types.Scene) -> Iterator[tuple[bpy.types.Object, _Component, bpy.types.FCurve]]:
    """Those that move hands and cameras that were solved, whom, and what they are in ``_claimed``."""
    for thing in scene.objects:
        if thing.handheld.role in ("HAND", "CAMERA"):
            for curve in animation.curves(thing):
                yield thing, (curve.id_data.session_uid, curve.data_path, curve.array_index), curve


def _chosen(thing: bpy.types.Object) -> tuple[str, ...]:
    """What paths begin with of which an insertion makes keys: of bones that are selected, of a camera that is."""
    if thing.pose is None:
        return ("",) if thing.select_get() else ()
    bones = thing.pose.bones if thing.mode == "POSE" else ()
    chosen = [bone for bone in bones if (bone if _BONES_ARE_SELECTED_POSED else bone.bone).select]
    return tuple(f"{bone.path_from_id()}." for bone in chosen)


def _tick() -> float:
    global _before
    notice()
    _before = selected(bpy.context.scene, _frame)
    return _PERIOD_SECONDS


@persistent
def _before_frame_change(*_: object) -> None:
    notice()


@persistent
def _after_undo(scene: bpy.types.Scene, _: object) -> None:
    claim_again(scene)


@persistent
def _before_load(*_: object) -> None:
    _claimed.clear()


_HANDLERS = {
    "frame_change_pre": _before_frame_change,
    "undo_post": _after_undo,
    "redo_post": _after_undo,
    "load_pre": _before_load,
}


def register() -> None:
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)
    bpy.app.timers.register(_tick, first_interval=_PERIOD_SECONDS, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).remove(handler)
    _claimed.clear()
