"""The 2D keypoints as tracks of the movie clip: an artist moves, disables, deletes or tracks them, the re-solve obeys.

Each hand has a tracking object of its own, so the clip's camera tracks stay what they are. Only what differs from the
take is read back: there is nothing to keep in step.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..solver.constraints import ImagePoint
from ..solver.observations import KEYPOINT_NAMES
from ..solver.take import Take
from . import animation, clip, hands
from .take_to_scene import hand_name

_PREFIX = "Handheld "
# what a marker loses as a float, and what is a change: shares of the clip's longer side
_SAME = 2e-5
# how sure an artist's marker is: share of the clip's longer side
_CAREFUL = 1e-3
# deviation of a landmark, in shares of the hand's size, at which its weight is a half
_HALF_SURE = 0.04
# weights that are the same, and none at all
_SAME_WEIGHT, _NO_WEIGHT = 1e-3, 1e-3
_COLOURS = {"left": (0.24, 0.45, 0.80), "right": (0.83, 0.42, 0.24)}


def write(movie: bpy.types.MovieClip, root: bpy.types.Object, take: Take) -> None:
    """One tracking object a hand, one track a keypoint; what there was of an earlier call goes."""
    for row, armature in hands.by_row(root, take).items():
        tracks = _fresh_object(movie, armature).tracks
        weights = confidence(take, row)
        seen = np.isfinite(take.keypoints_px[row]).all(axis=(-2, -1))
        numbers = _marker_frames(movie, take)
        if not seen.any():
            continue
        for point, name in enumerate(KEYPOINT_NAMES):
            track = tracks.new(name=name, frame=int(numbers[seen][0]))
            track.use_custom_color, track.color = True, _COLOURS[armature.handheld.side]
            _place(track, numbers, seen, _to_clip(take.keypoints_px[row, :, point], take.size))
            path = _weight_path(armature, name)
            shown = clip.scene_frames(movie, take.frames[seen])
            animation.write(movie, [animation.Channel(path, 0, armature.name, shown, weights[seen, point])])


def changes(
    movie: bpy.types.MovieClip, take: Take, row: int, armature: bpy.types.Object, first: int, last: int
) -> Iterator[ImagePoint]:
    """What the artist changed of a hand's tracks in clip frames ``first`` to ``last``; nothing if there are none."""
    known = movie.tracking.objects.get(_name(armature))
    if known is None:
        return
    inside = np.flatnonzero((take.frames >= first) & (take.frames <= last))
    numbers, longer, shown = _marker_frames(movie, take), max(take.size), clip.scene_frames(movie, take.frames[inside])
    solved_weights, sizes_px = confidence(take, row)[inside], _sizes_px(take, row)[inside]
    curves = {curve.data_path: curve for curve in animation.curves(movie) if not curve.mute}
    for point, name in enumerate(KEYPOINT_NAMES):
        track = known.tracks.get(name)
        markers = {} if track is None else {marker.frame: marker for marker in track.markers}
        weights = _weights(track, curves.get(_weight_path(armature, name)), shown)
        for weight, was, size_px, index in zip(weights, solved_weights[:, point], sizes_px, inside, strict=True):
            marker, solved = markers.get(int(numbers[index])), take.keypoints_px[row, index, point]
            frame, was_seen = int(take.frames[index]), bool(np.isfinite(solved).all())
            if marker is None or marker.mute or weight < _NO_WEIGHT:
                if was_seen:
                    yield ImagePoint(row, frame, point)
                continue
            placed = _to_px(np.array(marker.co, float), take.size)
            is_moved = not was_seen or np.abs(placed - solved).max() > _SAME * longer
            if is_moved:
                yield ImagePoint(row, frame, point, placed, _CAREFUL * longer)
            elif abs(weight - was) > _SAME_WEIGHT:
                deviation_px = _HALF_SURE * size_px * np.sqrt(max(1.0 / weight - 1.0, 0.0))
                yield ImagePoint(row, frame, point, solved, max(float(deviation_px), _CAREFUL * longer))


def confidence(take: Take, row: int) -> np.ndarray:
    """(T, 21) weight of each landmark, 0..1: by its deviation in the picture; NaN where it wasn't seen."""
    deviation_px = np.sqrt(np.trace(take.keypoint_covariance_px[row], axis1=-2, axis2=-1) / 2)
    return 1.0 / (1.0 + (deviation_px / (_HALF_SURE * _sizes_px(take, row)[:, None])) ** 2)


def _sizes_px(take: Take, row: int) -> np.ndarray:
    """(T,) larger side of a hand's landmarks in the picture."""
    return np.ptp(take.keypoints_px[row], axis=1).max(axis=-1)


def _weights(
    track: bpy.types.MovieTrackingTrack | None, curve: bpy.types.FCurve | None, scene_frames: np.ndarray
) -> list[float]:
    """How much a track is to count in each of these frames."""
    if curve is not None:
        return [curve.evaluate(frame) for frame in scene_frames]
    return [track.weight if track is not None else 0.0] * len(scene_frames)


def _weight_path(armature: bpy.types.Object, name: str) -> str:
    return f'tracking.objects["{_name(armature)}"].tracks["{name}"].weight'


def _name(armature: bpy.types.Object) -> str:
    """By side and number: the armature's own name is the artist's to change."""
    return _PREFIX + hand_name(armature.handheld.side, armature.handheld.ordinal)


def _fresh_object(movie: bpy.types.MovieClip, armature: bpy.types.Object) -> bpy.types.MovieTrackingObject:
    objects = movie.tracking.objects
    known = objects.get(_name(armature))
    if known is not None:
        objects.remove(known)
    active = objects.active.name
    made = objects.new(_name(armature))
    objects.active = objects[active]  # the artist's own choice
    return objects[made.name]


def _place(track: bpy.types.MovieTrackingTrack, numbers: np.ndarray, seen: np.ndarray, places: np.ndarray) -> None:
    """A marker where the hand was seen, and a muted one where a gap begins."""
    for index in np.flatnonzero(seen):
        track.markers.insert_frame(int(numbers[index]), co=places[index])
    for index in np.flatnonzero(seen[:-1] & ~seen[1:]):
        track.markers.insert_frame(int(numbers[index + 1]), co=places[index]).mute = True


def _marker_frames(movie: bpy.types.MovieClip, take: Take) -> np.ndarray:
    """(T,) Blender counts markers from the clip's first frame, as it does solved cameras."""
    return take.frames + 1 - clip.first_number(movie) + movie.frame_offset


def _to_clip(points_px: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(..., 2) px from the upper left corner -> shares of the picture from the lower left one."""
    return np.stack([points_px[..., 0] / size[0], 1.0 - points_px[..., 1] / size[1]], axis=-1)


def _to_px(places: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.stack([places[..., 0] * size[0], (1.0 - places[..., 1]) * size[1]], axis=-1)
