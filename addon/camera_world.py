"""Handles on a solved world, in Blender's own words: Set Floor, Set Origin, Set Scale, and known measures.

They move and scale the root at once. What was measured is kept beside it (``handheld_world``), and the next solve gets
the camera's path in the world that the artist has set (``wanted_world``), measured size included; then the root's scale
is taken back, since the take has it. Hands are scaled along until then: their size is known by themselves.
"""

from __future__ import annotations

import contextlib

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..solver.camera.formats import KnownCamera, LensPart
from ..solver.camera.similarity import between_paths
from ..solver.errors import SolverError
from ..solver.take import Take
from . import camera as camera_objects
from . import camera_picks, clip, frames, pinned_camera, rig, take_files
from .scene import require_root

_LEAST_DISTANCE = 1e-6
_SAME_SCALE = 1e-4


def set_floor(context: bpy.types.Context) -> bpy.types.Object:
    """The plane through three or more picked points (or the fingertips of the active hand) becomes z = 0.

    Raises:
        SolverError: ``world-...``: nothing is solved, or too little is picked.
    """
    root = require_root(context)
    points = camera_picks.points(context) or camera_picks.contact(context, root)
    if len(points) < 3:
        raise SolverError(
            "world-three-points",
            f"A floor needs three points; selected: {len(points)}.",
            "Select three vertices of the scene points, three bones or three empties, or a hand that lies on it.",
        )
    normal = _normal(points, _eye(context, root))
    middle = sum(points, Vector()) / len(points)
    turn = normal.rotation_difference(Vector((0, 0, 1))).to_matrix().to_4x4()
    _move(root, Matrix.Translation((middle.x, middle.y, 0)) @ turn @ Matrix.Translation(-middle))
    root.handheld_world.is_placed = True
    return root


def set_origin(context: bpy.types.Context) -> bpy.types.Object:
    """The middle of the picked points becomes the world's origin.

    Raises:
        SolverError: ``world-...``.
    """
    root = require_root(context)
    points = camera_picks.points(context)
    if not points:
        raise SolverError(
            "world-no-point", "No point is selected.", "Select a vertex of the scene points, a bone or an empty."
        )
    _move(root, Matrix.Translation(-sum(points, Vector()) / len(points)))
    root.handheld_world.is_placed = True
    return root


def picked_distance(context: bpy.types.Context) -> float:
    """Between the two picked points, in the scene as it is.

    Raises:
        SolverError: ``world-two-points``.
    """
    points = camera_picks.points(context)
    if len(points) != 2 or (points[0] - points[1]).length < _LEAST_DISTANCE:
        raise SolverError(
            "world-two-points",
            f"A length needs two points apart from each other; selected: {len(points)}.",
            "Select two vertices of the scene points, two bones or two empties.",
        )
    return (points[0] - points[1]).length


def set_length(context: bpy.types.Context, length: float) -> bpy.types.Object:
    """Scale so that the two picked points are ``length`` apart. Two bones of one hand tell the hand's size.

    Raises:
        SolverError: ``world-...``.
    """
    root = require_root(context)
    factor = length / picked_distance(context)
    hand = camera_picks.only_hand(context)
    if hand is not None:
        return _known_hand(root, factor * hand_length(hand), factor)
    return _scaled(root, factor, "SCENE")


def set_hand_length(context: bpy.types.Context, length: float) -> bpy.types.Object:
    """Scale so that the active hand (or the only one) is ``length`` from wrist to middle fingertip.

    Raises:
        SolverError: ``world-...``.
    """
    root = require_root(context)
    return _known_hand(root, length, length / hand_length(camera_picks.require_hand(context, root)))


def active_hand_length(context: bpy.types.Context) -> float:
    """``hand_length`` of the active hand, or the only one.

    Raises:
        SolverError: ``world-...``.
    """
    return hand_length(camera_picks.require_hand(context, require_root(context)))


def hand_length(hand: bpy.types.Object) -> float:
    """Wrist to middle fingertip along the bones, as the solver counts it, in the scene as it is."""
    bones = [hand.data.bones[name] for name in ("wrist", "middle1", "middle2", "middle3")]
    heads = [bone.head_local for bone in bones] + [bones[-1].tail_local]
    along = sum((b - a).length for a, b in zip(heads, heads[1:], strict=False))
    return along * hand.matrix_world.median_scale


def camera_height(context: bpy.types.Context) -> float:
    """Of the solved camera over the floor, in the frame that is shown.

    Raises:
        SolverError: ``world-...``.
    """
    height = _eye(context, require_root(context)).z
    if height < _LEAST_DISTANCE:
        raise SolverError("world-no-floor", "The camera is not above the floor.", "Set the floor first.")
    return height


def set_camera_height(context: bpy.types.Context, height: float) -> bpy.types.Object:
    """Scale about the floor so that the camera is so high in the frame that is shown.

    Raises:
        SolverError: ``world-...``.
    """
    root = require_root(context)
    factor = height / camera_height(context)
    root.handheld_world.is_placed = True
    return _scaled(root, factor, "SCENE")


def scale_of(world: bpy.types.PropertyGroup) -> float:
    """The root's uniform scale; getter of the slider."""
    return world.id_data.scale[0]


def slide_scale(world: bpy.types.PropertyGroup, scale: float) -> None:
    """Setter of the slider."""
    root = world.id_data
    _scaled(root, scale / root.scale[0], "SCENE")


def reset(context: bpy.types.Context) -> bpy.types.Object:
    """Back to the solver's own world; what was measured is forgotten.

    Raises:
        SolverError: ``nothing-solved``.
    """
    root = require_root(context)
    root.matrix_world = Matrix.Identity(4)
    world = root.handheld_world
    world.scaled_by, world.hand_length, world.is_placed = "NONE", 0.0, False
    return root


# --- for the next solve -----------------------------------------------------------------------------------------------


def wanted_world(root: bpy.types.Object | None, movie: bpy.types.MovieClip) -> KnownCamera | None:
    """The camera's path as the artist's world has it, clip frames; None when nothing was set or there is no camera.

    The root keeps its place and rotation, so the path is in the root's space but for the measured scale.
    """
    camera = pinned_camera.of_root(root) if root is not None else None
    if camera is None or not (root.handheld_world.is_placed or root.handheld_world.scaled_by != "NONE"):
        return None
    numbers, poses = _standing_path(root, camera, movie)
    lens = LensPart(np.array([1.0, 1.0, 0.0, 0.0]), tuple(movie.size))
    standing = KnownCamera(numbers.astype(float), poses, lens)
    return standing.scaled(measured_scale(root, standing) or 1.0)


def _standing_path(
    root: bpy.types.Object, camera: bpy.types.Object, movie: bpy.types.MovieClip
) -> tuple[np.ndarray, np.ndarray]:
    """Clip frames (n,) and the camera there, (n, 4, 4). A new take has no keys yet: as the one before has it."""
    edit = root.handheld_edit
    if edit.takes and not edit.takes[edit.active_take].path and not pinned_camera.is_keyed_by_solver(camera):
        with contextlib.suppress(SolverError):  # without its file the camera's place is all there is
            take = take_files.of_root(root)
            return take.frames, take.world_from_camera
    numbers = clip.all_frames(movie)
    return numbers, pinned_camera.keyed_path(camera, clip.scene_frames(movie, numbers))


def measured_scale(root: bpy.types.Object, wanted: KnownCamera) -> float | None:
    """How much larger than the standing take the next one has to be; None when nobody measured what it can show.

    Where the camera stays in its place only a hand's length can be seen in the take.
    """
    by = root.handheld_world.scaled_by
    travels = np.ptp(wanted.world_from_camera[:, :3, 3], axis=0).max() > 0
    return root.scale[0] if by == "HAND" or (by == "SCENE" and travels) else None


def size_in_words(take: Take) -> str:
    """What the size of the camera's path rests on, and how far off it may be; "" where it has none to tell."""
    told = take.camera_scale
    if told is None:
        return ""
    if told["cues"] == ["measured"]:
        return "Its size is as you measured it."
    if not told["determined"]:
        within = f"{1 / told['low']:.1f} times too large or {told['high']:.1f} times too small"
        return f"Its size is a guess, which may be {within}: measure something."
    within = f"too large by {100 * (1 / told['low'] - 1):.0f} % or too small by {100 * (told['high'] - 1):.0f} %"
    return f"Its size rests on {' and '.join(told['cues'])}, and may be {within}."


def settle(root: bpy.types.Object, take: Take) -> None:
    """A new take may have the root's measured scale in itself: the root gives it up, and its pins follow."""
    world = root.handheld_world
    world.told = size_in_words(take)
    if world.scaled_by == "NONE" or world.settled == take_stamp(take):
        return
    world.settled = take_stamp(take)
    scale = take.provenance.get("options", {}).get("world_scale")
    if scale is None:
        return
    root.scale = [value / scale for value in root.scale]
    if abs(root.scale[0] - 1) < _SAME_SCALE:
        root.scale = (1.0, 1.0, 1.0)
    _take_pins_along(root, take, scale)


def pins_into(root: bpy.types.Object, before: Take, take: Take) -> None:
    """Bring the pins from the world of one take into another's: they stay with the camera of their frame."""
    _, old, new = np.intersect1d(before.frames, take.frames, return_indices=True)
    shift = np.zeros((len(take.frames), 3))
    shift[new] = take.world_from_camera[new, :3, 3] - before.world_from_camera[old, :3, 3]
    _shift_pins(root, take, shift)


def _take_pins_along(root: bpy.types.Object, take: Take, scale: float) -> None:
    """Pins go where the hands go in a world that is larger by ``scale``: those keep their size, and so their distance
    from the camera, unless it was a hand that was measured."""
    if root.handheld_world.scaled_by != "HAND":
        _shift_pins(root, take, take.world_from_camera[:, :3, 3] * (1 - 1 / scale))
        return
    for pin in root.handheld_edit.pins:
        pin.position = [value * scale for value in pin.position]
        pin.wrist_location = [value * scale for value in pin.wrist_location]


def _shift_pins(root: bpy.types.Object, take: Take, shift: np.ndarray) -> None:
    """``shift`` (T, 3) for each of the take's frames, solver axes."""
    shown = clip.scene_frames(root.handheld.clip, take.frames)
    for pin in root.handheld_edit.pins:
        by = frames.points_to_blender(shift[np.abs(shown - pin.frame).argmin()])
        pin.position = np.array(pin.position) + by
        if pin.kind == "POSE" and pin.hand is not None:
            pin.wrist_location = np.array(pin.wrist_location) + by @ rig.bone_axes(pin.hand)[0]


def fit_to_camera(
    root: bpy.types.Object,
    take: Take,
    camera: bpy.types.Object,
    target: bpy.types.Scene,
    movie: bpy.types.MovieClip,
) -> None:
    """Hands in metres beside a camera of the artist's in other units: the root is scaled to fit the camera's path.

    Only where the take was asked for with a scale; then its path is the camera's times that.
    """
    if take.provenance.get("options", {}).get("camera_scale", 1.0) in ("auto", 1.0):
        return
    known = camera_objects.read(camera, target, movie, root)
    rows = known.has(take.frames.astype(float))
    source, wanted = take.world_from_camera[rows], known.poses_at(take.frames[rows])
    if min(np.ptp(path[:, :3, 3], axis=0).max() for path in (source, wanted)) > 0:
        root.matrix_world = root.matrix_world @ Matrix.Scale(between_paths(source, wanted).scale, 4)


def take_stamp(take: Take) -> str:
    """Tells takes apart: one that is imported twice must not scale twice."""
    return f"{float(np.nansum(take.world_from_camera)):.9g} {float(np.nansum(take.transl)):.9g}"


# --- inside -----------------------------------------------------------------------------------------------------------


def _known_hand(root: bpy.types.Object, length: float, factor: float) -> bpy.types.Object:
    root.handheld_world.hand_length = length
    return _scaled(root, factor, "HAND")


def _scaled(root: bpy.types.Object, factor: float, by: str) -> bpy.types.Object:
    """About the floor's origin once that is set, else about the root."""
    if root.handheld_world.is_placed:
        root.location = [value * factor for value in root.location]
    root.scale = [value * factor for value in root.scale]
    root.handheld_world.scaled_by = by
    root.update_tag()
    return root


def _move(root: bpy.types.Object, by: Matrix) -> None:
    root.matrix_world = by @ root.matrix_world


def _normal(points: list[Vector], eye: Vector) -> Vector:
    """Of the plane nearest to the points, on the side of the eye."""
    middle = np.mean(points, axis=0)
    _, spread, axes = np.linalg.svd(np.array(points) - middle, full_matrices=False)
    if spread[1] < 1e-3 * spread[0] or spread[0] < _LEAST_DISTANCE:
        raise SolverError(
            "world-three-points", "The selected points lie on one line.", "Select three points that span a floor."
        )
    normal = Vector(axes[2])
    return normal if normal.dot(eye - Vector(middle)) >= 0 else -normal


def _eye(context: bpy.types.Context, root: bpy.types.Object) -> Vector:
    camera = pinned_camera.of_root(root) or context.scene.camera
    if camera is None:
        raise SolverError("world-no-camera", "There is no camera.", "Solve the clip, or choose the scene's camera.")
    return camera.matrix_world.translation
