"""F-curves of objects, alike in Blender 4.2 to 5.2: bulk writing, streaming, and whose key is whose.

The solver's keys have the type GENERATED; all others are the artist's, and nothing here changes or removes those. But
Blender keeps the type when an artist keys, drags or smooths a key that is there already. So each of the solver's keys
also carries the frame and value that it was written with, in ``period`` and ``back``, which only elastic and back
easing use: a key that stands elsewhere by now is the artist's too, and gets the type KEYFRAME when the curve is written
next; one that an artist keys as it stands is claimed at once (``held_keys``), for which the solver's are written
unselected. An artist's key in one component of a vector or rotation makes that frame's other components the artist's.
Keys of Euler angles have their order in ``amplitude``. A channel that is locked is the artist's as it stands.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from . import channels as rotation_channels

_HAS_SLOTS = bpy.app.version >= (4, 4, 0)
_KEY_VECTORS = ("co", "handle_left", "handle_right")
_KEY_NUMBERS = ("amplitude", "back", "period")
_KEY_ENUMS = ("interpolation", "easing", "type", "handle_left_type", "handle_right_type")
_KEY_FLAGS = ("select_control_point", "select_left_handle", "select_right_handle")
_KEY_ATTRIBUTES = (*_KEY_VECTORS, *_KEY_NUMBERS, *_KEY_ENUMS, *_KEY_FLAGS)
# what tells whose key it is
_OWNERSHIP = ("co", "period", "back", "type")


@dataclass(frozen=True)
class Channel:
    """Keys of one F-curve.

    Attributes:
        path, index: what is animated, as in ``FCurve``.
        group: the group that it is listed under.
        frames: (n,) scene frames, rising.
        values: (n,).
        interpolation: "LINEAR" or "CONSTANT".
        order: number of the Euler order that the values are in, 0 for what has none.
    """

    path: str
    index: int
    group: str
    frames: np.ndarray
    values: np.ndarray
    interpolation: str = "LINEAR"
    order: int = 0


def vector_channels(path: str, group: str, frames: np.ndarray, values: np.ndarray, order: int = 0) -> list[Channel]:
    """One channel for each of the k columns of ``values`` (n, k)."""
    return [Channel(path, index, group, frames, values[:, index], order=order) for index in range(values.shape[1])]


def write(target: bpy.types.Object, channels: Iterable[Channel], within: tuple[float, float] | None = None) -> None:
    """Replace the solver's keys of these channels; where the artist has a key in the same frame, the artist's stays.

    Args:
        within: first and last scene frame; no key outside is touched. None: everywhere.
    """
    bag = _Curves(target)
    for _, components in itertools.groupby(channels, key=lambda channel: channel.path):
        pairs = [(bag.ensure(channel), channel) for channel in components]
        if any(_is_locked(curve) for curve, _ in pairs):
            continue
        _rewrite(pairs, within or (-np.inf, np.inf), _mode(target, pairs[0][1].path))


def append(target: bpy.types.Object, channels: Iterable[Channel]) -> None:
    """Add the solver's keys to what is there; cheap for frames after the last key, where streamed poses arrive."""
    bag = _Curves(target)
    for channel in channels:
        curve = bag.ensure(channel)
        points = curve.keyframe_points
        if len(points) and channel.frames[0] <= points[-1].co[0]:
            _merge(curve, channel)
        else:
            _extend(curve, channel)


def has_artist_keys(target: bpy.types.Object) -> bool:
    """Is there a key that the solver did not write?"""
    return bool(artist_frames(target))


def artist_frames(target: bpy.types.Object) -> dict[str, np.ndarray]:
    """Frames, rising, in which the artist has a key, by the property's path; paths without one are left out."""
    found: dict[str, list[np.ndarray]] = {}
    for curve in curves(target):
        keys = _read_keys(curve, _OWNERSHIP)
        found.setdefault(curve.data_path, []).append(keys["co"][_is_artists(keys) | _is_locked(curve), 0])
    frames = {path: np.unique(np.concatenate(parts)) for path, parts in found.items()}
    return {path: there for path, there in frames.items() if len(there)}


def claim(target: bpy.types.Object, paths: Sequence[str], frame: float) -> None:
    """Make the keys of these properties in a frame the artist's."""
    for key in _keys_at(target, paths, frame):
        key.type = "KEYFRAME"


def selected_generated(curve: bpy.types.FCurve, frame: float) -> bpy.types.Keyframe | None:
    """The solver's key in a frame, if it is selected. Looks at few keys, for it is asked all the time."""
    points = curve.keyframe_points
    if not len(points):
        return None
    number = round(frame - points[0].co[0])  # where there is a key in every frame
    if not (0 <= number < len(points) and points[number].co[0] == frame):
        number = bisect.bisect_left(points, frame, key=lambda key: key.co[0])
    key = points[number] if number < len(points) else None
    if key is None or not key.select_control_point or key.type != "GENERATED":
        return None
    return key if tuple(key.co) == (frame, key.back) and key.period == frame else None


def artist_place(target: bpy.types.Object, path: str, frame: float) -> np.ndarray:
    """(3,) of a vector's keys in a frame; NaN where there is none of the artist's."""
    values = np.full(3, np.nan)
    for curve in curves(target):
        if curve.data_path == path:
            keys = _read_keys(curve, _OWNERSHIP)
            values[curve.array_index] = next(
                iter(keys["co"][_is_artists(keys) & (keys["co"][:, 0] == frame), 1]), np.nan
            )
    return values


def move_keys(target: bpy.types.Object, path: str, frame: float, by: Sequence[float]) -> None:
    """Add ``by``, a number a component, to a property's keys in a frame, handles and all; whose they are stays."""
    for curve in curves(target):
        if curve.data_path == path:
            for key in (key for key in curve.keyframe_points if key.co[0] == frame):
                for point in (key.co, key.handle_left, key.handle_right):
                    point[1] += by[curve.array_index]
            curve.update()


def release(target: bpy.types.Object, paths: Sequence[str], frame: float) -> None:
    """Make the keys of these properties in a frame the solver's."""
    for key in _keys_at(target, paths, frame):
        key.type = "GENERATED"
        key.period, key.back = key.co


def _keys_at(target: bpy.types.Object, paths: Sequence[str], frame: float) -> Iterator[bpy.types.Keyframe]:
    for curve in curves(target):
        if curve.data_path in paths:
            yield from (key for key in curve.keyframe_points if key.co[0] == frame)


def clear(
    target: bpy.types.Object, within: tuple[float, float], with_artists: bool, wanted: Callable[[str], bool]
) -> int:
    """Remove the solver's keys in a range of frames, and on request the artist's; gives their number.

    Args:
        wanted: says of a property's path whether its keys go.
    """
    count, artists_frames = 0, artist_frames(target)
    by_path = itertools.groupby(curves(target), key=lambda curve: curve.data_path)
    for path, components in [(path, list(group)) for path, group in by_path if wanted(path)]:
        artists = artists_frames.get(path, np.zeros(0))
        for curve in components:
            keys = _read_keys(curve)
            frames = keys["co"][:, 0]
            goes = (frames >= within[0]) & (frames <= within[1])
            goes &= (with_artists and not _is_locked(curve)) | ~np.isin(frames, artists)
            count += int(goes.sum())
            _put_keys(curve, _rows(keys, ~goes))
    for curve in [curve for curve in curves(target) if not curve.keyframe_points]:
        _Curves(target).curves.remove(curve)
    return count


def write_plain(target: bpy.types.Object, channels: Iterable[Channel]) -> None:
    """Ordinary keys, as an artist would set them, in place of all that these channels have."""
    bag = _Curves(target)
    for channel in channels:
        keys = _generated_keys(channel.frames, channel.values, channel.interpolation)
        keys["type"][:] = _enum("type", "KEYFRAME")
        for name in _KEY_NUMBERS:
            keys[name][:] = bpy.types.Keyframe.bl_rna.properties[name].default
        _put_keys(bag.ensure(channel), keys)


def keys_of(target: bpy.types.Object, paths: Sequence[str]) -> list[np.ndarray]:
    """(n, 2) frames, rising, and values of all keys of each of these properties, which are single numbers."""
    found = {curve.data_path: curve for curve in curves(target)}
    return [_read_keys(found[path], ("co",))["co"] if path in found else np.zeros((0, 2)) for path in paths]


def key_frames(target: bpy.types.Object, path: str) -> np.ndarray:
    """Frames, rising, in which a property has a key of anybody's."""
    parts = [_read_keys(curve, ("co",))["co"][:, 0] for curve in curves(target) if curve.data_path == path]
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0)


def generated_frames(target: bpy.types.Object, path: str) -> np.ndarray:
    """Frames, rising, in which a property has the solver's key."""
    return np.setdiff1d(key_frames(target, path), artist_frames(target).get(path, np.zeros(0)))


def order_of_generated(target: bpy.types.Object, path: str) -> int | None:
    """The Euler order that the solver's keys of a property were written in; None when it has no such key."""
    for curve in curves(target):
        if curve.data_path == path:
            keys = _read_keys(curve, (*_OWNERSHIP, "amplitude"))
            orders = keys["amplitude"][~_is_artists(keys)]
            return int(orders[0]) if len(orders) else None
    return None


def values_at(target: bpy.types.Object, path: str, frames: Sequence[float], resting: Sequence[float]) -> np.ndarray:
    """(n, k) what a property's curves give in these frames; ``resting`` (k,) are the values of absent curves."""
    values = np.tile(np.asarray(resting, float), (len(frames), 1))
    for curve in curves(target):
        if curve.data_path == path:
            values[:, curve.array_index] = [curve.evaluate(frame) for frame in frames]
    return values


def remove_generated(target: bpy.types.Object, path: str) -> None:
    """Remove the solver's keys of one property, and its curves if nothing is left in them."""
    bag = _Curves(target) if curves(target) else None
    for curve in [curve for curve in curves(target) if curve.data_path == path]:
        _rewrite([(curve, Channel(path, curve.array_index, "", np.empty(0), np.empty(0)))])
        if bag and not curve.keyframe_points:
            bag.curves.remove(curve)


def remove_curves(target: bpy.types.Object, paths: tuple[str, ...]) -> None:
    """Remove the curves whose property begins with one of these, whoever wrote them."""
    for curve in [curve for curve in curves(target) if curve.data_path.startswith(paths)]:
        _Curves(target).curves.remove(curve)


def curves(target: bpy.types.Object) -> list[bpy.types.FCurve]:
    """The F-curves that animate an object through its action; empty when it has none."""
    animation = target.animation_data
    if animation is None or animation.action is None or (_HAS_SLOTS and animation.action_slot is None):
        return []
    return list(_Curves(target).curves)


def curves_of_action(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """All that an action has, whomever it animates."""
    if not _HAS_SLOTS:
        return list(action.fcurves)
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


def shift(curves: Sequence[bpy.types.FCurve], by: int) -> None:
    """Move all keys of an action in time; the solver's stay the solver's. In curves where those were moved by as much
    already, they are only told apart from the artist's again; curves without any go as all others did."""
    known = [_read_keys(curve) for curve in curves]
    untouched = [~_is_artists(keys) for keys in known]
    moved = [~_is_artists({**keys, "period": keys["period"] + np.float32(by)}) for keys in known]
    all_moved = any(rows.any() for rows in moved) and not any(rows.any() for rows in untouched)
    for number, (curve, keys) in enumerate(zip(curves, known, strict=True)):
        there, here = moved[number], untouched[number]
        if (there.any() or all_moved) and not here.any():
            keys["period"][there] += by
        else:
            keys["period"][here] += by
            for name in _KEY_VECTORS:
                keys[name][:, 0] += by
        _put_keys(curve, keys)


def assign(target: bpy.types.Object, action: bpy.types.Action | None) -> None:
    """Animate an object by another action, or by none."""
    if target.animation_data is None and action is None:
        return
    animation = target.animation_data or target.animation_data_create()
    animation.action = action
    if _HAS_SLOTS and action is not None and animation.action_slot is None and action.slots:
        animation.action_slot = action.slots[0]


class _Curves:
    """The F-curves and groups of an object's action, made when there is none yet."""

    def __init__(self, target: bpy.types.Object) -> None:
        animation = target.animation_data or target.animation_data_create()
        if animation.action is None:
            animation.action = bpy.data.actions.new(target.name)
        owner = _channelbag(animation, target) if _HAS_SLOTS else animation.action
        self.curves = owner.fcurves
        self._groups = owner.groups

    def ensure(self, channel: Channel) -> bpy.types.FCurve:
        curve = self.curves.find(channel.path, index=channel.index)
        if curve is None:
            curve = self.curves.new(channel.path, index=channel.index)
            curve.group = self._groups.get(channel.group) or self._groups.new(channel.group)
        return curve


def _channelbag(animation: bpy.types.AnimData, target: bpy.types.Object) -> bpy.types.ActionChannelbag:
    action = animation.action
    if animation.action_slot is None:
        fitting = [slot for slot in action.slots if slot.target_id_type in (target.id_type, "UNSPECIFIED")]
        animation.action_slot = fitting[0] if fitting else action.slots.new(id_type=target.id_type, name=target.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(animation.action_slot, ensure=True)


def _rewrite(
    components: Sequence[tuple[bpy.types.FCurve, Channel]],
    within: tuple[float, float] = (-np.inf, np.inf),
    mode: str = "",
) -> None:
    """Write all components of one property, which is a rotation if it has a ``mode``."""
    if _rewrite_values(components, within, mode):
        return
    known = [_read_keys(curve) for curve, _ in components]
    artists_frames = np.concatenate([keys["co"][_is_artists(keys), 0] for keys in known])
    for keys in known:
        inside = (keys["co"][:, 0] >= within[0]) & (keys["co"][:, 0] <= within[1])
        artists = np.isin(keys["co"][:, 0], artists_frames)
        keys["type"][artists & inside & (keys["type"] == _enum("type", "GENERATED"))] = _enum("type", "KEYFRAME")
        keys["kept"] = artists | ~inside
    kept = [_rows({name: keys[name] for name in _KEY_ATTRIBUTES}, keys["kept"]) for keys in known]
    channels = [channel for _, channel in components]
    if mode:
        channels = _going_on_from(kept, channels, mode)
    for (curve, _), keys, channel in zip(components, kept, channels, strict=True):
        _set_keys(curve, keys, channel)


def _rewrite_values(
    components: Sequence[tuple[bpy.types.FCurve, Channel]], within: tuple[float, float], mode: str
) -> bool:
    """Give the solver's keys other values where all keys are there already, which is what a re-solve finds: a third of
    the time. False: the keys differ, nothing was written."""
    known, channels = [_read_keys(curve, _OWNERSHIP) for curve, _ in components], [channel for _, channel in components]
    frames = known[0]["co"][:, 0]
    inside = (frames >= within[0]) & (frames <= within[1])
    alike = all(np.array_equal(keys["co"][:, 0], frames) for keys in known)
    if not alike or channels[0].order or not np.array_equal(frames[inside], channels[0].frames.astype(np.float32)):
        return False
    artists = np.any([_is_artists(keys) for keys in known], axis=0)
    if any((keys["type"][artists & inside] == _enum("type", "GENERATED")).any() for keys in known):
        return False
    free = inside & ~artists
    if mode:
        channels = _going_on_from([_rows({"co": keys["co"]}, ~free) for keys in known], channels, mode)
    for (curve, _), keys, channel in zip(components, known, channels, strict=True):
        keys["co"][free, 1] = keys["back"][free] = channel.values[free[inside]]
        for name in ("co", "back"):
            curve.keyframe_points.foreach_set(name, keys[name].ravel())
        curve.update()
    return True


def _rows(keys: dict[str, np.ndarray], chosen: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[chosen] for name, values in keys.items()}


def _mode(target: bpy.types.Object, path: str) -> str:
    """Rotation mode of a property; "" for one that is no rotation."""
    owner, _, name = path.rpartition(".")
    if name == rotation_channels.EULER:
        order = (target.path_resolve(owner) if owner else target).rotation_mode
        return order if order in rotation_channels.ORDERS else "XYZ"
    return {known: mode for mode, known in rotation_channels.PATHS.items()}.get(name, "")


def _going_on_from(kept: Sequence[dict[str, np.ndarray]], channels: Sequence[Channel], mode: str) -> list[Channel]:
    """The same rotations, each stretch in the form of the kept key before it (the first stretch: after it).

    A new solve may count the signs of its quaternions, or full turns, from another frame than the artist keyed in.
    """
    frames = channels[0].frames
    artists = functools.reduce(np.intersect1d, [keys["co"][:, 0] for keys in kept])
    turned = np.stack([channel.values for channel in channels], axis=1)
    values = [keys["co"][np.isin(keys["co"][:, 0], artists), 1] for keys in kept]
    stretch = np.searchsorted(artists, frames, side="right")
    written = ~np.isin(frames, artists)
    for number in np.unique(stretch[written]) if len(artists) else ():
        rows = np.flatnonzero((stretch == number) & written)
        key, rows = (number - 1, rows) if number else (0, rows[::-1])
        beside = np.array([component[key] for component in values], float)
        turned[rows] = rotation_channels.following(turned[rows], beside, mode)
    return [replace(channel, values=turned[:, index]) for index, channel in enumerate(channels)]


def _merge(curve: bpy.types.FCurve, channel: Channel) -> None:
    if _revalue(curve, channel):
        return
    keys = _read_keys(curve)
    kept = _is_artists(keys) | ~np.isin(keys["co"][:, 0], np.asarray(channel.frames, np.float32))
    _set_keys(curve, {name: values[kept] for name, values in keys.items()}, channel)


def _revalue(curve: bpy.types.FCurve, channel: Channel) -> bool:
    """Give keys that are there new values, which is what a solver that refines streams. False: one was not there."""
    keys = _read_keys(curve, _OWNERSHIP)
    rows = np.searchsorted(keys["co"][:, 0], np.asarray(channel.frames, np.float32))
    rows = np.minimum(rows, len(keys["co"]) - 1)
    if not np.array_equal(keys["co"][rows, 0], np.asarray(channel.frames, np.float32)):
        return False
    free = ~_is_artists(keys)[rows]
    keys["co"][rows[free], 1] = keys["back"][rows[free]] = channel.values[free]
    for name in ("co", "back"):
        curve.keyframe_points.foreach_set(name, keys[name].ravel())
    curve.update()
    return True


def _extend(curve: bpy.types.FCurve, channel: Channel) -> None:
    # KeyframePoints.insert would do, but Blender 4.3 refuses some keys of type GENERATED
    points = curve.keyframe_points
    first = len(points)
    points.add(len(channel.frames))
    for number, (frame, value) in enumerate(zip(channel.frames, channel.values, strict=True), start=first):
        key = points[number]
        key.co = frame, value
        key.period, key.back, key.amplitude = frame, value, channel.order
        key.interpolation = channel.interpolation
        key.type = "GENERATED"
        key.handle_left_type = key.handle_right_type = "AUTO_CLAMPED"
        key.select_control_point = key.select_left_handle = key.select_right_handle = False
    curve.update()


def _set_keys(curve: bpy.types.FCurve, kept: dict[str, np.ndarray], channel: Channel) -> None:
    """The keys that are kept and the channel's, where no kept key stands."""
    free = ~np.isin(np.asarray(channel.frames, np.float32), kept["co"][:, 0])
    generated = _generated_keys(channel.frames[free], channel.values[free], channel.interpolation)
    generated["amplitude"][:] = channel.order
    keys = {name: np.concatenate([kept[name], generated[name]]) for name in kept}
    _put_keys(curve, _rows(keys, np.argsort(keys["co"][:, 0], kind="stable")))


def _put_keys(curve: bpy.types.FCurve, keys: dict[str, np.ndarray]) -> None:
    points = curve.keyframe_points
    points.clear()
    points.add(len(keys["co"]))
    for name, values in keys.items():
        points.foreach_set(name, values.ravel())
    curve.update()


def _is_locked(curve: bpy.types.FCurve) -> bool:
    return curve.lock or (curve.group is not None and curve.group.lock)


def _is_artists(keys: dict[str, np.ndarray]) -> np.ndarray:
    untouched = (keys["co"] == np.stack([keys["period"], keys["back"]], axis=1)).all(axis=1)
    return (keys["type"] != _enum("type", "GENERATED")) | ~untouched


def _read_keys(curve: bpy.types.FCurve, attributes: Sequence[str] = _KEY_ATTRIBUTES) -> dict[str, np.ndarray]:
    points = curve.keyframe_points
    blank = _blank_keys(len(points))
    keys = {name: blank[name] for name in attributes}
    for name, values in keys.items():
        flat = values.ravel()
        points.foreach_get(name, flat)
        keys[name] = flat.reshape(values.shape)
    return keys


def _generated_keys(frames: np.ndarray, values: np.ndarray, interpolation: str) -> dict[str, np.ndarray]:
    keys = _blank_keys(len(frames))
    keys["co"][:] = np.stack([frames, values], axis=1)
    keys["period"][:], keys["back"][:] = frames, values
    keys["type"][:] = _enum("type", "GENERATED")
    keys["interpolation"][:] = _enum("interpolation", interpolation)
    # the handles come to light when the artist turns a key into a Bezier one
    for name in ("handle_left_type", "handle_right_type"):
        keys[name][:] = _enum(name, "AUTO_CLAMPED")
    return keys


def _blank_keys(count: int) -> dict[str, np.ndarray]:
    return {
        **{name: np.zeros((count, 2), np.float32) for name in _KEY_VECTORS},
        **{name: np.zeros(count, np.float32) for name in _KEY_NUMBERS},
        **{name: np.zeros(count, np.int32) for name in _KEY_ENUMS},
        **{name: np.zeros(count, bool) for name in _KEY_FLAGS},
    }


def _enum(attribute: str, item: str) -> int:
    return bpy.types.Keyframe.bl_rna.properties[attribute].enum_items[item].value
