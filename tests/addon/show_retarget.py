"""Figures and pictures of the retargeting, for people: ``PYTHON_WITH_BPY tests/addon/show_retarget.py FOLDER``.

Writes ``FOLDER/rigs.png``: a row for the solved hands and one for each fixture rig, five poses from left to right, left
and right hand; prints the largest direction errors, pinch gaps, and the CPU time of 1,000 frames onto Rigify.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import conftest  # noqa: F401 - makes the extension importable, before bpy reads its folders

# isort: split
import bpy
import numpy as np
import retargeting as retargeted
import rigs
from bl_ext.user_default.handheld.addon import rig
from bl_ext.user_default.handheld.addon.retarget import anatomy, bake, sources
from bl_ext.user_default.handheld.addon.retarget.bake import Options
from hand_poses import NAMES, five_poses
from mathutils import Matrix, Vector

_TILE = (230, 170)
_FRAMES_OF_SPEED = 1000


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_pictures(None)]
    print(f"{'rig':<16} {'first bone':>10} {'last bone':>10} {'wrist':>8}")
    for kind in rigs.RIGS:
        rows.append(_pictures(kind))
    _save(np.vstack(rows[::-1]), folder / "rigs.png")
    _print_pinches()
    _print_speed()


def _begin() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def _pictures(kind: str | None) -> np.ndarray:
    """(height, width, 4) five poses of the solved hands, or of a rig that they were brought onto; bottom row first."""
    _begin()
    armature = rigs.RIGS[kind]() if kind else None
    hands = retargeted.solved_hands()
    sides = ("left", "right")
    if armature is not None:
        found = retargeted.found_map(armature)
        bake.retarget(bpy.context, hands, armature, found, Options())
        _print_errors(kind, armature, found, hands)
        sides = found.sides()
        for hand in hands:
            rig.mesh_of(hand).hide_render = True
            rig.mesh_of(hand).animation_data_clear()
        _skin(armature, found)
    tiles = []
    for row, _ in enumerate(NAMES):
        bpy.context.scene.frame_set(row + 1)
        shots = [
            _shot(hands[("left", "right").index(side)], row + 1) if side in sides else _blank()
            for side in ("left", "right")
        ]
        tiles.append(np.hstack(shots))
    return np.hstack(tiles)


def _print_errors(kind: str, armature, found, hands) -> None:
    worst = np.zeros(3)
    for frame in retargeted.bpy_frames(retargeted.FRAMES):
        for side in found.sides():
            solved = sources.pose_now(hands[("left", "right").index(side)], int(frame))
            zero = anatomy.zero(solved.shape)
            at_rest = anatomy.zero(retargeted.rest_shape(armature, found, side))
            for finger in found.fingers(side):
                frames = retargeted.finger_frames(armature, found, side, finger, at_rest)
                want = solved.finger(zero, finger)[0]
                off = [retargeted.angle_deg(frames[end][:, 1], want[end][:, 1]) for end in (0, -1)]
                worst[:2] = np.maximum(worst[:2], off)
            hand = retargeted.deforming(armature, found.bone(f"{side}.hand"))
            place = np.array((armature.matrix_world @ hand.matrix).translation)
            worst[2] = max(worst[2], 1e3 * np.linalg.norm(place - solved.joints[0, 0]))
    print(f"{kind:<16} {worst[0]:>6.2f} deg {worst[1]:>6.2f} deg {worst[2]:>5.2f} mm")


def _skin(armature, found) -> None:
    """A prism along every bone of the hands, bound to what deforms: bones themselves are not rendered."""
    vertices, faces, groups = [], [], []
    for side in found.sides():
        shape = retargeted.rest_shape(armature, found, side)
        frames = anatomy.zero(shape).fingers
        palm = anatomy.zero(shape).palm
        segments = [(found.bone(f"{side}.hand"), shape.wrist, f.joints[0], palm) for f in shape.fingers.values()]
        for finger, names in found.fingers(side).items():
            joints = shape.fingers[finger].joints
            segments += [(n, joints[k], joints[k + 1], frames[finger][k]) for k, n in enumerate(names)]
        for name, start, end, axes in segments:
            _add_prism(
                vertices, faces, start, end, axes, 0.13 * shape.size() * (0.5 if name in found.bones.values() else 1)
            )
            groups += [retargeted.deforming(armature, name).name] * 8
    data = bpy.data.meshes.new("Skin")
    data.from_pydata(vertices, [], faces)
    mesh = bpy.data.objects.new("Skin", data)
    bpy.context.scene.collection.objects.link(mesh)
    mesh.parent = armature
    for number, name in enumerate(groups):
        group = mesh.vertex_groups.get(name) or mesh.vertex_groups.new(name=name)
        group.add([number], 1.0, "REPLACE")
    mesh.modifiers.new("Armature", "ARMATURE").object = armature
    material = bpy.data.materials.new("Skin")
    material.diffuse_color = (0.35, 0.6, 0.4, 1.0)
    data.materials.append(material)


def _add_prism(vertices: list, faces: list, start, end, axes, width: float) -> None:
    first = len(vertices)
    x, z = axes[:, 0] * width / 2, axes[:, 2] * width / 2
    for point, share in ((start, 1.0), (end, 0.7)):
        vertices += [tuple(point + share * (a * x + b * z)) for a, b in ((-1, -0.6), (1, -0.6), (1, 0.6), (-1, 0.6))]
    quads = ((0, 1, 2, 3), (7, 6, 5, 4), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (3, 7, 4, 0))
    faces += [tuple(first + corner for corner in quad) for quad in quads]


def _shot(hand, frame: int) -> np.ndarray:
    """The solved hand, or whatever stands in its place, seen from the same side: across the palm, from the thumb's."""
    solved = sources.pose_now(hand, frame)
    centre = Vector(solved.joints[0].mean(axis=0))
    palm = solved.palm(anatomy.zero(solved.shape))[0]
    thumb = 1.0 if hand.handheld.side == "right" else -1.0
    back = Vector(-0.75 * palm[:, 2] - 0.2 * palm[:, 1] + 0.6 * thumb * palm[:, 0]).normalized()
    scene = bpy.context.scene
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("View", bpy.data.cameras.new("View"))
        scene.collection.objects.link(scene.camera)
        scene.camera.data.lens = 60
    up = Vector(palm[:, 1])
    right = up.cross(back).normalized()
    turn = Matrix((right, back.cross(right), back)).transposed().to_4x4()
    scene.camera.matrix_world = Matrix.Translation(centre + back * 0.48) @ turn
    return _render(scene)


def _render(scene) -> np.ndarray:
    render = scene.render
    render.engine = "BLENDER_WORKBENCH"
    scene.display.shading.color_type = "MATERIAL"
    scene.display.shading.show_cavity = True
    scene.display.shading.background_type = "VIEWPORT"
    scene.display.shading.background_color = (0.35, 0.35, 0.35)
    render.film_transparent = False
    render.resolution_x, render.resolution_y = _TILE
    render.image_settings.file_format = "PNG"
    path = Path(bpy.app.tempdir) / "tile.png"
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(_TILE[1], _TILE[0], 4)


def _blank() -> np.ndarray:
    return np.ones((_TILE[1], _TILE[0], 4), np.float32)


def _save(pixels: np.ndarray, path: Path) -> None:
    image = bpy.data.images.new("Sheet", pixels.shape[1], pixels.shape[0])
    image.pixels.foreach_set(pixels.astype(np.float32).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    print(f"wrote {path}")


def _print_pinches() -> None:
    print(f"{'pinch':<34} {'angles':>9} {'pinch':>9}")
    for size, factors in ((0.8, {}), (1.3, {}), (1.0, {"thumb": 0.85}), (0.8, {"index": 1.25}), (1.3, {"thumb": 1.15})):
        _begin()
        armature = rigs.scaled_fingers("left", factors, size)
        found, hands, gaps = retargeted.found_map(armature), retargeted.solved_hands(("left",)), []
        for fingers in ("ANGLES", "PINCH"):
            bake.retarget(bpy.context, hands, armature, found, Options(fingers=fingers))
            bpy.context.scene.frame_set(1 + NAMES.index("pinch"))
            gaps.append(retargeted.tip_gap_mm(armature, found, "left"))
        print(f"hand x {size}, {factors!s:<22} {gaps[0]:>6.1f} mm {gaps[1]:>6.2f} mm")


def _print_speed() -> None:
    _begin()
    armature = rigs.rigify()

    def long(side, wrist):
        rotations, transl = five_poses(side, wrist)
        rows = np.arange(_FRAMES_OF_SPEED) % len(rotations)
        return rotations[rows], transl[rows]

    hands = retargeted.solved_hands(poses=long)
    found = retargeted.found_map(armature)
    for fingers in ("ANGLES", "PINCH", "TIPS"):
        armature.animation_data.action = None
        before = time.process_time()
        bake.retarget(bpy.context, hands, armature, found, Options(fingers=fingers))
        seconds = time.process_time() - before
        print(f"{_FRAMES_OF_SPEED} frames, two hands onto Rigify, {fingers}: {seconds:.2f} CPU s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
