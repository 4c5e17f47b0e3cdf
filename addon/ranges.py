"""Which frames an artist means: a typed range, the surroundings, from key to key, everything."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..solver.errors import SolverError
from ..solver.take import Take
from . import animation, clip, hands, held_keys, pinned_camera, take_files, wishes
from .resolve import Stretch, require_root

# what the solver answers within a blink
AROUND_FRAMES = 30


def stretch(context: bpy.types.Context, kind: str, only_active: bool = False) -> Stretch:
    """Frames for "RANGE", "AROUND", "KEYS" or "ALL", within the take.

    Raises:
        SolverError: nothing is solved, the take can't be read, or ``frame-outside-take``.
    """
    held_keys.notice()
    root = require_root(context)
    take = take_files.of_root(root)
    first, last = take_range(root, take)
    editing, now = context.scene.handheld_editing, context.scene.frame_current
    if kind in ("AROUND", "KEYS"):
        _require_near(now, first, last, AROUND_FRAMES - 1 if kind == "AROUND" else 0)
    match kind:
        case "RANGE":
            first, last = min(editing.first, editing.last), max(editing.first, editing.last)
        case "AROUND":
            first, last = max(first, now - AROUND_FRAMES), min(last, now + AROUND_FRAMES - 1)
        case "KEYS":
            held = edited_frames(root, take)
            first, last = between(held[(held >= first) & (held <= last)], now, first, last)
    active = hands.active(context, root) if only_active else None
    return Stretch(first, last, (active.name,) if active else ())


def require_in_take(root: bpy.types.Object, first: int, last: int) -> None:
    """Raises SolverError ``frame-outside-take`` when no scene frame of ``first`` to ``last`` is one of the take's."""
    start, end = take_range(root, take_files.of_root(root))
    if last < start or first > end:
        where = f"Frame {first} is" if first == last else f"The frames {first} to {last} are"
        raise SolverError("frame-outside-take", f"{where} outside the take ({start} to {end}).", "Choose frames in it.")


def _require_near(now: int, first: int, last: int, reach: int) -> None:
    if not first - reach <= now <= last + reach:
        raise SolverError(
            "frame-outside-take",
            f"Frame {now} is not one of the take's ({first} to {last}).",
            "Go to a frame of the take, or re-solve a range.",
        )


def take_range(root: bpy.types.Object, take: Take) -> tuple[int, int]:
    """First and last scene frame of a take."""
    shown = clip.scene_frames(root.handheld.clip, take.frames[[0, -1]])
    return int(shown[0]), int(shown[1])


def edited_frames(root: bpy.types.Object, take: Take) -> np.ndarray:
    """Scene frames, rising, that an artist's key or pin holds."""
    return np.unique(np.concatenate([np.asarray(part, float) for part in _edits(root, take)])).astype(int)


def _edits(root: bpy.types.Object, take: Take) -> Iterator[object]:
    yield []
    for armature in hands.by_row(root, take).values():
        yield from animation.artist_frames(armature).values()
    camera = pinned_camera.of_root(root)
    if camera is not None:
        yield pinned_camera.artists_frames(camera)
    for pin in root.handheld_edit.pins:
        if pin.enabled and wishes.is_complete(pin):
            yield [pin.frame, wishes.last_frame(pin)]


def between(held: np.ndarray, now: int, first: int, last: int) -> tuple[int, int]:
    """From the held frame before ``now`` to the one after it; on a held frame, from its neighbour to its neighbour."""
    before, after = held[held < now], held[held > now]
    return (int(before[-1]) if len(before) else first), (int(after[0]) if len(after) else last)
