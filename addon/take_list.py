"""Several takes of a clip side by side below one root: each with its file, its actions and its settings."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import bpy

from ..solver import hand_model
from ..solver.errors import SolverError
from ..solver.take import MISSING, Take
from . import (
    animation,
    camera_lens,
    camera_scene,
    camera_world,
    keys_along,
    pinned_camera,
    preferences,
    rig,
    take_files,
)
from .edit_properties import HandheldTake
from .hands import hands_of, ordinals, require_own_motion
from .scene import find_root, require_own
from .take_to_scene import Surroundings, build, build_camera, ensure_hand, model_source

# of the scene's settings: what makes one solve differ from another
_SETTINGS = (
    "quality",
    "use_render",
    "prior",
    "use_camera_along",
    "frame_range",
    "camera_source",
    "focal_source",
    "focal_mm",
)


def record(scene: bpy.types.Scene, root: bpy.types.Object) -> None:
    """Note the take that the root shows as the active one of its list."""
    edit = root.handheld_edit
    if not edit.takes:
        edit.takes.add().name = "Take 1"
        edit.active_take = 0
    entry = edit.takes[edit.active_take]
    entry.path = root.handheld.take
    entry.settings = json.dumps({name: getattr(scene.handheld, name) for name in _SETTINGS})
    _keep_actions(root, entry)


def place(take: Take, path: str, around: Surroundings) -> bpy.types.Object:
    """Build a take and note it; pins that were set in the world of the one before follow, keys are noted.

    Raises:
        SolverError: ``object-linked``, or as ``take_to_scene.build``.
    """
    root = find_root(around.scene, around.clip, path)
    if root is not None:
        require_own(root)
    world = root.handheld_world if root else None
    former, taken_over = (root.handheld.take, world.settled) if root else ("", "")
    by_hand = root is not None and world.scaled_by == "HAND"
    before = None
    with contextlib.suppress(SolverError):  # without its file nobody knows where its world was
        before = take_files.read(former, root) if former else None
    root = build(take, path, around)
    if before is not None:
        is_taken_over = root.handheld_world.settled != taken_over
        scale = take.provenance.get("options", {}).get("world_scale") if is_taken_over else None
        if scale is None:
            camera_world.pins_into(root, before, take)
        keys_along.note(root, before, take, scale if scale and by_hand else 1.0)
    record(around.scene, root)
    return root


def begin_another(scene: bpy.types.Scene, root: bpy.types.Object) -> None:
    """Put the shown take aside; the next solve of the clip makes another beside it.

    Raises:
        SolverError: ``take-not-solved``, the shown one is such a new take itself; or as ``require_own_motion``.
    """
    edit = root.handheld_edit
    if edit.takes and not edit.takes[edit.active_take].path:
        name = edit.takes[edit.active_take].name
        raise SolverError("take-not-solved", f"{name} is a new take already.", "Solve the clip.")
    for thing in _animated(root):
        require_own_motion(thing)
    record(scene, root)
    numbers = [int(word) for entry in edit.takes if (word := entry.name.split()[-1]).isdigit()]
    for thing in _animated(root):
        animation.assign(thing, None)
    entry = edit.takes.add()
    entry.name = f"Take {max(numbers, default=0) + 1}"
    edit.active_take = len(edit.takes) - 1


def switch(context: bpy.types.Context, root: bpy.types.Object, number: int) -> None:
    """Show another take of the list, with the settings that it was solved with; a new one as the artist left it.

    Raises:
        SolverError: there is none of this number, its file can't be read, the hand model of it is not at hand, or as
            ``require_own_motion``; nothing has changed then.
    """
    edit = root.handheld_edit
    entry = listed(edit, number)
    for thing in _animated(root):
        require_own_motion(thing)
    before = edit.takes[edit.active_take]
    if not entry.path:
        _keep_actions(root, before)
        edit.active_take = number
        _assign_kept(root, entry)
        return
    take = take_files.read(entry.path, root)
    around = Surroundings(context.scene, root.handheld.clip, preferences.model_source(context))
    models = {side: hand_model.load(side, model_source(take, around)) for side in set(take.sides)}
    _keep_actions(root, before)
    with contextlib.suppress(SolverError):  # without the file of the take that was shown pins stay where they are
        camera_world.pins_into(root, take_files.of_root(root), take)
    root.handheld.take, edit.active_take = entry.path, number
    for name, value in json.loads(entry.settings or "{}").items():
        setattr(context.scene.handheld, name, value)
    _show_hands(root, take, models)
    _assign_kept(root, entry)
    is_keyed = any(slot.role == "CAMERA" and slot.action is not None for slot in entry.slots)
    _show_camera(root, take, around, is_keyed)
    context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)


def remove(root: bpy.types.Object, number: int) -> None:
    """Take one that is not shown off the list; its file stays on disk.

    Raises:
        SolverError: ``take-shown``, or there is none of this number.
    """
    edit = root.handheld_edit
    listed(edit, number)
    if number == edit.active_take:
        raise SolverError("take-shown", "This take is the one that is shown.", "Switch to another first.")
    edit.takes.remove(number)
    edit.active_take -= number < edit.active_take


def role_of(thing: bpy.types.Object) -> str:
    """What an object below a root is, the same in all its takes."""
    if thing.handheld.role == "CAMERA":
        return "CAMERA"
    hand = thing if thing.type == "ARMATURE" else thing.parent
    return f"{thing.type} {hand.handheld.side} {hand.handheld.ordinal}"


def _animated(root: bpy.types.Object) -> Iterator[bpy.types.Object]:
    for hand in hands_of(root):
        yield from filter(None, (hand, rig.mesh_of(hand)))
    camera = pinned_camera.of_root(root)
    if camera is not None:
        yield camera


def listed(edit: bpy.types.PropertyGroup, number: int) -> HandheldTake:
    """Raises SolverError ``take-not-listed``."""
    if not 0 <= number < len(edit.takes):
        raise SolverError("take-not-listed", f"There is no take {number} in the list.", "Choose one that is listed.")
    return edit.takes[number]


def _assign_kept(root: bpy.types.Object, entry: HandheldTake) -> None:
    kept = {slot.role: slot.action for slot in entry.slots}
    for thing in _animated(root):
        animation.assign(thing, kept.get(role_of(thing)))


def _keep_actions(root: bpy.types.Object, entry: HandheldTake) -> None:
    entry.slots.clear()
    for thing in _animated(root):
        action = thing.animation_data.action if thing.animation_data else None
        if action is not None:
            slot = entry.slots.add()
            slot.role, slot.action = role_of(thing), action


def _show_hands(root: bpy.types.Object, take: Take, models: dict[str, hand_model.HandModel]) -> None:
    """Each of the take's hands in its shape, made anew if it is gone; those that the take doesn't have are hidden."""
    shown = []
    for row, ordinal in enumerate(ordinals(take.sides)):
        if (take.status[row] != MISSING).any():
            hand = ensure_hand(root, models[take.sides[row]].with_shape(take.betas[row]), ordinal)
            hand.handheld.coverage = float((take.status[row] != MISSING).mean())
            shown.append(hand)
    for armature in hands_of(root):
        armature.hide_viewport = armature not in shown
        mesh = rig.mesh_of(armature)
        if mesh is not None:
            animation.assign(mesh, None)
            mesh.hide_viewport = mesh.hide_render = armature not in shown


def _show_camera(root: bpy.types.Object, take: Take, around: Surroundings, is_keyed: bool) -> None:
    """The take's lens and, where no keys move the camera, its place."""
    ours = pinned_camera.of_root(root)
    if ours is None:
        return
    if not is_keyed:
        build_camera(take.camera(), take.size, take.frames, root, around)
    movie = around.clip
    aspect = 1.0 if movie is None else 1.0 / movie.tracking.camera.pixel_aspect
    camera_lens.set_intrinsics(ours.data, take.intrinsics, take.size, aspect)
    camera_scene.show_points(root, take.points, take.point_errors_px)
    camera_scene.show_path(root, take.world_from_camera)
