"""What turns a bone or a camera over time, in whatever rotation mode the artist chose for it.

Blender keeps the curves of a mode that was left, and shows them no more. Here they count on where the mode's own curves
have no key of the artist's, and the next time that the solver writes they are carried over into those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from . import animation, channels


@dataclass(frozen=True)
class Turn:
    """The rotation of a pose bone or of an object.

    Attributes:
        target: whose action it is. owner: has the rotation mode: the bone, or the target itself.
        prefix: of the properties' paths from the target.
    """

    target: bpy.types.Object
    owner: bpy.types.PoseBone | bpy.types.Object
    prefix: str

    @property
    def mode(self) -> str:
        return self.owner.rotation_mode

    @property
    def path(self) -> str:
        return self.prefix + channels.path(self.mode)

    @property
    def all_paths(self) -> tuple[str, ...]:
        """Of every mode that there is."""
        return tuple(self.prefix + name for name in channels.ALL_PATHS)

    def now(self) -> np.ndarray:
        """(3, 3) as the property stands."""
        return channels.rotations(np.array([self._standing()]), self.mode)[0]

    def pose(self, rotation: np.ndarray) -> None:
        """Set the property, without a key."""
        setattr(self.owner, channels.path(self.mode), channels.values(rotation[None], self.mode)[0])

    def key(self, frame: float) -> None:
        self.owner.keyframe_insert(channels.path(self.mode), frame=frame)

    def seen(self, frames: np.ndarray) -> np.ndarray:
        """(n, 3, 3) what the curves give in these scene frames."""
        own = channels.rotations(animation.values_at(self.target, self.path, frames, self._standing()), self.mode)
        left = self._left()
        if left is None:
            return own
        path, mode = left
        still = np.zeros(len(getattr(self.owner, path.rpartition(".")[2])))
        old = channels.rotations(animation.values_at(self.target, path, frames, still), mode)
        artists = animation.artist_frames(self.target).get(self.path, np.zeros(0))
        return np.where(np.isin(frames, artists)[:, None, None], own, old)

    def artist_frames(self, known: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scene frames, rising, that the artist keyed; ``known`` is ``animation.artist_frames`` of the target."""
        left = self._left()
        paths = (self.path,) if left is None else (self.path, left[0])
        return np.unique(np.concatenate([known.get(path, np.zeros(0)) for path in paths]))

    def written(self, group: str, frames: np.ndarray, rotations: np.ndarray) -> list[animation.Channel]:
        """Rotations (n, 3, 3) for the mode's curves."""
        values = channels.values(rotations, self.mode)
        order = channels.ORDERS.index(self.mode) + 1 if self.mode in channels.ORDERS else 0
        return animation.vector_channels(self.path, group, frames, values, order)

    def carry_over(self, group: str) -> None:
        """Bring the solver's keys from the curves of a mode that was left; the artist's are copied and stay there."""
        left = self._left()
        if left is None:
            return
        path, _ = left
        frames = animation.key_frames(self.target, path)
        known = animation.artist_frames(self.target)
        copied = np.setdiff1d(known.get(path, np.zeros(0)), known.get(self.path, np.zeros(0)))
        animation.write(self.target, self.written(group, frames, self.seen(frames)))
        if path != self.path:
            animation.remove_generated(self.target, path)
            for frame in copied:
                animation.claim(self.target, [self.path], frame)

    def forget_others(self) -> None:
        """Remove the solver's keys from the curves of all other modes."""
        for path in self.all_paths:
            if path != self.path:
                animation.remove_generated(self.target, path)

    def _standing(self) -> np.ndarray:
        return np.array(getattr(self.owner, channels.path(self.mode)), float)

    def _left(self) -> tuple[str, str] | None:
        """Path and mode of the curves that hold the solver's keys, if those are not the ones that are shown."""
        present = {curve.data_path for curve in animation.curves(self.target)}
        others = [path for path in self.all_paths if path != self.path and path in present]
        if not others and self.mode in channels.PATHS:
            return None
        for path in (self.path, *others):
            order = animation.order_of_generated(self.target, path)
            if order is None:
                continue
            mode = _mode_of(path, order) or self.mode
            return (path, mode) if mode != self.mode else None
        return None


def of_bone(armature: bpy.types.Object, name: str) -> Turn:
    return Turn(armature, armature.pose.bones[name], f'pose.bones["{name}"].')


def of_object(thing: bpy.types.Object) -> Turn:
    return Turn(thing, thing, "")


def _mode_of(path: str, order: int) -> str:
    """The mode whose values a path's generated keys are; "" when an Euler order was not noted."""
    modes = {name: mode for mode, name in channels.PATHS.items()}
    return modes.get(path.rpartition(".")[2]) or (channels.ORDERS[order - 1] if order else "")
