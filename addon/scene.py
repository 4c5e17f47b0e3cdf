"""The scene around a solve: its root, its collection, and the settings that should match the clip."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import bpy
from bpy.app.handlers import persistent

from ..solver.errors import SolverError
from . import camera_lens, file_paths
from . import clip as clips

_KINDS = {"HAND": "ARMATURE", "CAMERA": "CAMERA", "SKIN": "MESH"}


@dataclass(frozen=True)
class SceneSetup:
    """Render settings of a scene, or those that a clip asks for."""

    rate: Fraction
    size: tuple[int, int]
    frames: tuple[int, int]

    @classmethod
    def of_scene(cls, scene: bpy.types.Scene) -> SceneSetup:
        render = scene.render
        return cls(
            clips.exact_rate(render.fps / render.fps_base),
            (render.resolution_x, render.resolution_y),
            (scene.frame_start, scene.frame_end),
        )

    @classmethod
    def of_clip(cls, clip: bpy.types.MovieClip, scene: bpy.types.Scene) -> SceneSetup:
        last = clip.frame_start + clip.frame_duration - clip.frame_offset - 1
        return cls(clips.frame_rate(clip, scene), tuple(clip.size), (clip.frame_start, last))

    def described(self) -> tuple[str, str, str]:
        """Rate, size and frames for a person to read."""
        return (
            f"{float(self.rate):.5g}\N{NO-BREAK SPACE}fps",
            f"{self.size[0]}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}{self.size[1]}",
            f"frames\N{NO-BREAK SPACE}{self.frames[0]}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{self.frames[1]}",
        )


def differences(scene: bpy.types.Scene, clip: bpy.types.MovieClip) -> list[str]:
    """What of the scene's rate, size and frames differs from the clip's, as it is in the scene.

    The frames are free to differ where the scene's range is the one to solve.
    """
    now, wanted = SceneSetup.of_scene(scene).described(), SceneSetup.of_clip(clip, scene).described()
    compared = 2 if scene.handheld.frame_range == "SCENE" else 3
    return [old for old, new in zip(now[:compared], wanted[:compared], strict=True) if old != new]


def match(scene: bpy.types.Scene, clip: bpy.types.MovieClip, use_rate: bool, use_size: bool, use_frames: bool) -> None:
    """Give the scene the clip's settings, as far as they are asked for."""
    setup = SceneSetup.of_clip(clip, scene)
    render = scene.render
    if use_rate:
        # Blender keeps a rate as a whole number and a divisor: 29.97 is 30 / 1.001
        render.fps = math.ceil(setup.rate)
        render.fps_base = float(render.fps / setup.rate)
    if use_size:
        render.resolution_x, render.resolution_y = setup.size
        render.resolution_percentage = 100
        render.pixel_aspect_x, render.pixel_aspect_y = camera_lens.render_aspect(clip)
    if use_frames:
        scene.frame_start, scene.frame_end = setup.frames


def stepping(scene: bpy.types.Scene, frames: Iterable[int]) -> Iterator[int]:
    """Each frame in turn, with the scene evaluated there; puts the scene back at the end."""
    current, subframe = scene.frame_current, scene.frame_subframe
    try:
        for frame in frames:
            scene.frame_set(int(frame))
            yield int(frame)
    finally:
        scene.frame_set(current, subframe=subframe)


def adopt(member: bpy.types.Object, root: bpy.types.Object) -> None:
    """Note which root a hand or camera is of, so that it stays so when the artist parents it elsewhere."""
    root.handheld.mark = root.handheld.mark or uuid.uuid4().hex
    member.handheld.belongs_to = root.handheld.mark


def members(root: bpy.types.Object, role: str) -> list[bpy.types.Object]:
    """A root's "HAND"s, "CAMERA"s or hands' "SKIN"s in its scene, by name: its children, then those that are no more.

    What an artist has deleted can live on without a scene, for instance because a pin names it.
    """
    kind, seen = _KINDS[role], [scene.objects[:] for scene in bpy.data.scenes]
    around = {thing for objects in seen if root in objects for thing in objects if thing.type == kind}
    found = [thing for thing in around if thing.handheld.role == role and _is_member(thing, root)]
    return sorted(found, key=lambda thing: (thing.parent != root, thing.library != root.library, thing.name))


def _is_member(thing: bpy.types.Object, root: bpy.types.Object) -> bool:
    above = _root_above(thing)
    is_marked = bool(root.handheld.mark) and thing.handheld.belongs_to == root.handheld.mark
    return thing.parent == root or (is_marked and above in (None, root))


def root_of(thing: bpy.types.Object | None, scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The root above an object, or the one that a hand or camera above it is of."""
    above = _root_above(thing)
    if above is not None:
        return above
    while thing is not None and thing.handheld.role not in _KINDS:
        thing = thing.parent
    mark = thing.handheld.belongs_to if thing is not None else ""
    roots = [candidate for candidate in scene.objects if candidate.handheld.role == "ROOT"] if mark else []
    return next((root for root in roots if root.handheld.mark == mark), None)


def _root_above(thing: bpy.types.Object | None) -> bpy.types.Object | None:
    while thing is not None and thing.handheld.role not in ("ROOT", "PREVIEW"):
        thing = thing.parent
    return thing


def find_root(scene: bpy.types.Scene, clip: bpy.types.MovieClip | None, take_path: str = "") -> bpy.types.Object | None:
    """The root of what was solved from this clip, or without a clip from this take."""
    for candidate in scene.objects:
        about = candidate.handheld
        if about.role != "ROOT" or about.clip != clip:
            continue
        if clip is not None or file_paths.absolute(about.take, candidate) == file_paths.absolute(take_path):
            return candidate
    return None


def edited_root(context: bpy.types.Context) -> bpy.types.Object | None:
    """The root that the artist means: above the active object, else the chosen clip's, else the only one."""
    above = root_of(context.active_object, context.scene)
    if above is not None and above.handheld.role == "ROOT":
        return above
    movie = context.scene.handheld.clip
    roots = [candidate for candidate in context.scene.objects if candidate.handheld.role == "ROOT"]
    fitting = [root for root in roots if movie is not None and root.handheld.clip == movie]
    return fitting[0] if fitting else (roots[0] if len(roots) == 1 else None)


def why_no_root(context: bpy.types.Context) -> str:
    """Why there is no ``edited_root``, and what to do; "" if there is one."""
    return ": ".join(_rootless(context))


def why_lost(context: bpy.types.Context) -> str:
    """As ``why_no_root`` where there are hands, so that panels about them are missed; else ""."""
    has_hands = any(candidate.handheld.role == "HAND" for candidate in context.scene.objects)
    return why_no_root(context) if has_hands else ""


def require_root(context: bpy.types.Context) -> bpy.types.Object:
    """``edited_root``. Raises SolverError ``nothing-solved`` where there is none."""
    if why := _rootless(context):
        raise SolverError("nothing-solved", f"{why[0]}.", f"{why[1].capitalize()}.")
    return edited_root(context)


def _rootless(context: bpy.types.Context) -> tuple[str, ...]:
    """In words, that it is not known what to edit, and the way out; empty where it is."""
    if edited_root(context) is not None:
        return ()
    if any(candidate.handheld.role == "ROOT" for candidate in context.scene.objects):
        return "Several clips are solved in this scene", "select a hand of the one that is meant"
    if any(candidate.handheld.role in _KINDS for candidate in context.scene.objects):
        return "The Empty above these hands is gone, which knows their take", "undo, or import the take again"
    return "Nothing is solved in this scene", "solve a clip first"


def edited_clip(context: bpy.types.Context) -> bpy.types.MovieClip | None:
    """The clip of what the artist edits, or the one that is to be solved."""
    root = edited_root(context)
    return root.handheld.clip if root is not None else context.scene.handheld.clip


def why_not_own(thing: bpy.types.ID) -> str:
    """Why a root or clip can't be changed from this file, and what to do; "" if it can.

    What is done to a linked one, and to what we keep on an override, is lost with the next load.
    """
    return ": ".join(_foreign(thing))


def require_own(thing: bpy.types.ID) -> None:
    """Raises SolverError ``object-linked`` when a root or clip can't be changed from this file."""
    if why := _foreign(thing):
        raise SolverError("object-linked", f"{why[0]}.", f"{why[1].capitalize()}.")


def _foreign(thing: bpy.types.ID) -> tuple[str, ...]:
    """In words, that a thing is another file's, and the way out; empty if it is this one's."""
    if thing.library is not None:
        return f"{thing.name} is linked from {thing.library.name}", "work in that file, or make it local"
    if thing.override_library is not None:
        return f"{thing.name} is a library override, which can't keep this", "work in its own file, or make it local"
    return ()


def build_root(scene: bpy.types.Scene, clip: bpy.types.MovieClip | None, name: str, role: str) -> bpy.types.Object:
    """Make the Empty above everything, in a collection of its own."""
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    root = bpy.data.objects.new(name, None)
    root.empty_display_type = "PLAIN_AXES"
    root.empty_display_size = 0.1
    root.handheld.role = role
    root.handheld.clip = clip
    collection.objects.link(root)
    return root


@persistent
def _after_load(*_: object) -> None:
    """Files of earlier versions have no marks."""
    for root in bpy.data.objects:
        if root.handheld.role == "ROOT" and not root.handheld.mark and not _foreign(root):
            for child in root.children:
                if child.handheld.role in _KINDS and child.library is None:
                    adopt(child, root)


def register() -> None:
    bpy.app.handlers.load_post.append(_after_load)


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_after_load)


def remove_tree(top: bpy.types.Object) -> None:
    """Remove an object, all below it, and their data, actions and collection as far as nobody else uses them."""
    collections = list(top.users_collection)
    for member in [*top.children_recursive, top]:
        _remove_object(member)
    for collection in collections:
        if collection in list(bpy.data.collections) and not collection.all_objects and not collection.children:
            bpy.data.collections.remove(collection)


def _remove_object(member: bpy.types.Object) -> None:
    action = member.animation_data.action if member.animation_data else None
    data = member.data
    bpy.data.objects.remove(member)
    left_over = [block for block in (action, data) if block is not None and block.users == 0]
    bpy.data.batch_remove(left_over)
