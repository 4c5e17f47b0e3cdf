"""A take becomes objects in the scene, and a new take of the same clip becomes their new keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..solver import hand_model
from ..solver.camera.cameras import CameraPath
from ..solver.take import MISSING, Take
from . import (
    animation,
    camera,
    camera_scene,
    camera_world,
    certainty,
    clip,
    file_paths,
    judgement,
    overlay_channel,
    rig,
    scene,
)
from .hands import hands_of, left_meshes, ordinals


@dataclass(frozen=True)
class Surroundings:
    """What a take is placed into.

    Attributes:
        scene: gets the objects.
        clip: the movie clip that was solved, if it is at hand: plate and numbering of frames.
        model_source: "open", "auto", or the folder of the user's own hand model.
        camera: a camera of the artist's that the take was solved with; None: the take's own is built.
        use_scene_camera: make the built camera the scene's.
    """

    scene: bpy.types.Scene
    clip: bpy.types.MovieClip | None
    model_source: str
    camera: bpy.types.Object | None = None
    use_scene_camera: bool = True


def build(take: Take, take_path: str, around: Surroundings) -> bpy.types.Object:
    """Root Empty, camera, and per hand armature, mesh and keys. What an earlier take of the clip left is reused.

    The artist's keys, object transforms and names stay. Hands that the take doesn't have any more go, unless the artist
    keyed them.

    Raises:
        SolverError: the hand model can't be loaded.
    """
    models = {side: hand_model.load(side, model_source(take, around)) for side in set(take.sides)}
    root = scene.find_root(around.scene, around.clip, take_path)
    root = root or scene.build_root(around.scene, around.clip, f"Hands {Path(take.clip_path).stem}", "ROOT")
    root.handheld.take = file_paths.stored(take_path)
    if len(take.frames):
        root.handheld.clip_offset = int(take.frames[0] - clip.scene_frames(around.clip, take.frames[:1])[0])
    if around.camera is None:
        build_camera(take.camera(), take.size, take.frames, root, around)
        camera_scene.show_points(root, take.points, take.point_errors_px)
        camera_scene.show_path(root, take.world_from_camera)
    else:
        camera_world.fit_to_camera(root, take, around.camera, around.scene, around.clip)
    camera_world.settle(root, take)
    there = (take.status != MISSING).any(axis=1)  # a cancel may come before a hand's first frame
    hands = [_build_hand(take, row, models[side], root, around) for row, side in enumerate(take.sides) if there[row]]
    _remove_other_hands(root, hands)
    return root


def build_camera(
    path: CameraPath, size: tuple[int, int], clip_frames: np.ndarray, root: bpy.types.Object, around: Surroundings
) -> bpy.types.Object:
    """The solved camera below ``root``, made or brought up to date."""
    known = scene.members(root, "CAMERA")
    solved = known[0] if known else camera.build(root.users_collection[0], root)
    scene.adopt(solved, root)
    camera.update(solved, path, size, clip.scene_frames(around.clip, clip_frames), around.clip)
    if around.use_scene_camera:
        around.scene.camera = solved
    return solved


def hand_name(side: str, ordinal: int) -> str:
    return f"{side.title()} Hand" + (f" {ordinal + 1}" if ordinal else "")


def ensure_hand(root: bpy.types.Object, shaped: hand_model.ShapedHand, ordinal: int) -> bpy.types.Object:
    """The armature of the n-th hand of a side below ``root``, in the shape given."""
    side = shaped.model.side
    for child in hands_of(root):
        if (child.handheld.side, child.handheld.ordinal) == (side, ordinal):
            scene.adopt(child, root)
            rig.reshape(child, shaped)
            return child
    armature, skin = _deleted_hand(root, side, ordinal), _left_mesh(root, side, ordinal)
    if armature is None:
        armature = rig.build(hand_name(side, ordinal), shaped, root.users_collection[0], root, skin)
        armature.handheld.role, armature.handheld.ordinal = "HAND", ordinal
    elif rig.mesh_of(armature) is None:
        rig.give_mesh(armature, shaped, skin)
    rig.reshape(armature, shaped)
    scene.adopt(armature, root)
    mesh = rig.mesh_of(armature)
    mesh.handheld.role, mesh.handheld.side, mesh.handheld.ordinal = "SKIN", side, ordinal
    scene.adopt(mesh, root)
    return armature


def _deleted_hand(root: bpy.types.Object, side: str, ordinal: int) -> bpy.types.Object | None:
    """One that the artist deleted and that lives on for the pins that name it, back below ``root`` without its keys."""
    for thing in bpy.data.objects:
        about = thing.handheld
        is_ours = about.role == "HAND" and bool(about.belongs_to) and about.belongs_to == root.handheld.mark
        if is_ours and (about.side, about.ordinal) == (side, ordinal) and not thing.users_collection:
            root.users_collection[0].objects.link(thing)
            thing.parent = root
            animation.assign(thing, None)
            return thing
    return None


def _left_mesh(root: bpy.types.Object, side: str, ordinal: int) -> bpy.types.Object | None:
    same = [skin for skin in left_meshes(root) if (skin.handheld.side, skin.handheld.ordinal) == (side, ordinal)]
    return same[0] if same else None


def model_source(take: Take, around: Surroundings) -> str:
    """The open hand is named in the take; any other model lies where the preferences say."""
    return "open" if take.model == "open" else around.model_source


def has_model_of(take: Take, around: Surroundings) -> bool:
    """Is the hand model at hand the one that the take was solved with? The take names the left one.

    Raises:
        SolverError: the hand model can't be loaded.
    """
    return hand_model.load("left", model_source(take, around)).sha256 == take.model_sha256


def _build_hand(
    take: Take, row: int, model: hand_model.HandModel, root: bpy.types.Object, around: Surroundings
) -> bpy.types.Object:
    armature = ensure_hand(root, model.with_shape(take.betas[row]), ordinals(take.sides)[row])
    scene_frames = clip.scene_frames(around.clip, take.frames)
    there = take.status[row] != MISSING
    overlaps = take.outline_overlap[row] if take.outline_overlap.size else np.full(len(take.frames), np.nan)
    motion = rig.HandMotion(scene_frames[there], take.rotations[row, there], take.transl[row, there])
    rig.write_motion(armature, motion)
    found = certainty.of_hand(take, row)
    judgement.write(armature, scene_frames, found.confidence, found.fingers, found.error_px)
    overlay_channel.write(armature, scene_frames, overlaps)
    rig.write_visibility(armature, scene_frames, there)
    armature.handheld.coverage = float(there.mean())
    return armature


def _remove_other_hands(root: bpy.types.Object, kept: list[bpy.types.Object]) -> None:
    for armature in hands_of(root):
        if armature in kept:
            continue
        if animation.has_artist_keys(armature):
            armature.handheld.coverage = 0.0  # the panel tells
        else:
            scene.remove_tree(armature)
