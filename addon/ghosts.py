"""Hands of another take beside those that are shown: wires to look at, which no solve, bake or render knows of."""

from __future__ import annotations

import bpy

from ..solver import hand_model
from ..solver.errors import SolverError
from . import animation, hands, preferences, rig, scene, take_files, take_list
from .hands import hands_of
from .take_to_scene import Surroundings, model_source


def show(context: bpy.types.Context, root: bpy.types.Object, number: int) -> None:
    """The hands of a take of the list, as they are keyed there, re-solves and the artist's keys included.

    Raises:
        SolverError: ``take-not-listed``, ``take-shown``, ``take-without-hands``, or its file can't be read.
    """
    edit = root.handheld_edit
    entry = take_list.listed(edit, number)
    if number == edit.active_take:
        raise SolverError("take-shown", "This take is the one that is shown.", "Compare it with another.")
    kept = {slot.role: slot.action for slot in entry.slots}
    there = [hand for hand in hands_of(root) if kept.get(take_list.role_of(hand)) is not None]
    if not there or not entry.path:
        raise SolverError("take-without-hands", f"{entry.name} has none of these hands.", "Solve it first.")
    take = take_files.read(entry.path, root)
    source = model_source(take, Surroundings(context.scene, root.handheld.clip, preferences.model_source(context)))
    models = {side: hand_model.load(side, source) for side in set(take.sides)}
    hide(root)
    for row, hand in hands.by_row(root, take).items():
        if hand in there:
            ghost = _copy(hand, entry)
            rig.reshape(ghost, models[take.sides[row]].with_shape(take.betas[row]))
            animation.assign(ghost, kept[take_list.role_of(hand)])
            for thing in filter(None, (ghost, rig.mesh_of(ghost))):
                thing.display_type, thing.hide_select, thing.hide_render = "WIRE", True, True


def hide(root: bpy.types.Object) -> None:
    """Take the wires away."""
    for ghost in _of(root):
        scene.remove_tree(ghost)


def shown(root: bpy.types.Object) -> str:
    """The file of the take whose hands are shown as wires; "" for none."""
    return next((ghost.handheld.take for ghost in _of(root)), "")


def _of(root: bpy.types.Object) -> list[bpy.types.Object]:
    return [child for child in root.children if child.handheld.role == "GHOST"]


def _copy(hand: bpy.types.Object, entry: bpy.types.PropertyGroup) -> bpy.types.Object:
    ghost = _twin(hand, entry)
    ghost.handheld.role, ghost.handheld.take = "GHOST", entry.path
    mesh = rig.mesh_of(hand)
    if mesh is not None:
        skin = _twin(mesh, entry)
        skin.parent, skin.handheld.role = ghost, "NONE"
        for modifier in skin.modifiers:
            if modifier.type == "ARMATURE":
                modifier.object = ghost
    return ghost


def _twin(thing: bpy.types.Object, entry: bpy.types.PropertyGroup) -> bpy.types.Object:
    """A copy of a thing and its data without its motion."""
    twin = thing.copy()
    twin.name, twin.data = f"{thing.name} ({entry.name})", thing.data.copy()
    twin.animation_data_clear()
    twin.hide_viewport = False
    thing.users_collection[0].objects.link(twin)
    return twin
