"""Install the extension, open a solved .blend and go round the artist's loop: key, re-solve, undo, reload, hints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import bpy
import facts
import numpy as np

MODULE = "bl_ext.user_default.handheld"
KEYED, FIRST, LAST = 36, 21, 51
# frames that are enough to see which hands a solve finds
SHORT = 24


def main(archive: str, blend: str) -> dict:
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    bpy.ops.wm.open_mainfile(filepath=blend)
    bpy.ops.ed.undo_push(message="Opened")
    jumps = _jumps()
    _key_wrist()
    keyed, before = _artists(), _keys()
    _resolve()
    after = _keys()
    out = {
        "take": _root().handheld.take,
        "p99": float(np.percentile(np.linalg.norm(jumps, axis=1), 99)),
        "added_at_ends": _longest([_jumps()[at] - jumps[at] for at in (*_around(FIRST), *_around(LAST))]),
        "kept": keyed == _artists(),
        "moved": _differs(before, after, inside=True),
        "outside_differs": _differs(before, after, inside=False),
    }
    bpy.ops.ed.undo()
    out["undone"] = _same(_keys(), before)
    bpy.ops.ed.redo()
    out["redone"] = _same(_keys(), after)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=blend)
    out["reloaded"] = _same(_keys(), after) and _artists() == keyed
    _resolve()
    out["kept_after_reload"] = _artists() == keyed
    return {**out, **_hints()}


def _hints() -> dict:
    """Which hands there are after the tracker was put right, each time in a new take."""
    scene = bpy.context.scene
    scene.frame_end, scene.handheld.frame_range = SHORT, "SCENE"
    scene.frame_set(SHORT // 2)
    found = {}
    bpy.ops.handheld.swap_hand(hand="Left Hand")
    found["swapped"] = _solved_sides()
    bpy.ops.handheld.switch_take(number=0)
    bpy.ops.handheld.clear_hints()
    bpy.ops.handheld.box_hand("EXEC_DEFAULT", corners=_box_of("Left Hand"))
    found["boxed"] = _solved_sides()
    bpy.ops.handheld.switch_take(number=0)
    bpy.ops.handheld.clear_hints()
    bpy.ops.handheld.delete_hand(hand="Left Hand")
    found["deleted"] = _solved_sides()
    return found


def _solved_sides() -> list[str]:
    bpy.ops.handheld.new_take()
    bpy.ops.handheld.solve()
    take = _addon("take_files").of_root(_root())
    return sorted(take.sides)


def _box_of(name: str) -> list[float]:
    """Around a hand in the picture of the current frame, shares from its lower left."""
    take = _addon("take_files").of_root(_root())
    row = next(row for row, hand in _addon("hands").by_row(_root(), take).items() if hand.name == name)
    points = take.keypoints_px[row, bpy.context.scene.frame_current - 1] / take.size
    (left, top), (right, bottom) = points.min(axis=0) - 0.02, points.max(axis=0) + 0.02
    return [left, 1 - bottom, right, 1 - top]


def _addon(name: str):
    return sys.modules[f"{MODULE}.addon.{name}"]


def _root() -> bpy.types.Object:
    return _addon("scene").edited_root(bpy.context)


def _hand() -> bpy.types.Object:
    return bpy.data.objects["Left Hand"]


def _key_wrist() -> None:
    bpy.context.scene.frame_set(KEYED)
    wrist = _hand().pose.bones["wrist"]
    wrist.location = [value + 0.01 for value in wrist.location]
    wrist.keyframe_insert("location", frame=KEYED)
    bpy.ops.ed.undo_push(message="Keyed")


def _resolve() -> None:
    editing = bpy.context.scene.handheld_editing
    editing.first, editing.last = FIRST, LAST
    bpy.ops.handheld.resolve("EXEC_DEFAULT", True, frames="RANGE")


def _jumps() -> np.ndarray:
    """(70, 3) changes of the wrist's velocity in frames 2 to 71, m per frame^2."""
    path = _addon("hands").keyed_motion(_hand(), np.arange(1, 73)).transl
    return np.diff(path, n=2, axis=0)


def _around(frame: int) -> tuple[int, int, int]:
    """Rows of ``_jumps`` that a frame has a part in."""
    return frame - 3, frame - 2, frame - 1


def _longest(vectors: list[np.ndarray]) -> float:
    return float(np.linalg.norm(vectors, axis=1).max())


def _keys() -> dict[tuple[str, int], np.ndarray]:
    found = {}
    for curve in _addon("animation").curves(_hand()):
        values = np.zeros(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", values)
        found[curve.data_path, curve.array_index] = values.reshape(-1, 2)
    return found


def _artists() -> list[str]:
    """The artist's keys, bit for bit."""
    frames = _addon("animation").artist_frames(_hand())
    return sorted(
        f"{path} {index} {keys[np.isin(keys[:, 0], frames[path])].tobytes().hex()}"
        for (path, index), keys in _keys().items()
        if path in frames
    )


def _differs(one: dict, other: dict, inside: bool) -> float:
    """Largest difference of a pose's keys in the range, or outside it."""
    worst = 0.0
    for curve, keys in one.items():
        if curve[0].startswith("pose.bones"):
            there = ((keys[:, 0] >= FIRST) & (keys[:, 0] <= LAST)) == inside
            worst = max(worst, float(np.abs(keys[there] - other[curve][there]).max()))
    return worst


def _same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[curve], other[curve]) for curve in one)


if __name__ == "__main__":
    facts.report(main(**json.loads(sys.argv[1])))
