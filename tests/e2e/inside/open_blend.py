"""Open a saved .blend with the extension absent, as another person would, and report what is in it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import bpy
import facts


def main(blend: str) -> dict:
    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.context.scene
    armatures = [item for item in scene.objects if item.type == "ARMATURE"]
    return {
        "armatures": {item.name: [item.animation_data is not None, len(item.data.bones)] for item in armatures},
        "moves": {item.name: _travel(scene, item) for item in armatures},
        "camera": scene.camera is not None and len(scene.camera.data.background_images),
        "frames": [scene.frame_start, scene.frame_end],
        "size": [scene.render.resolution_x, scene.render.resolution_y],
    }


def _travel(scene: bpy.types.Scene, armature: bpy.types.Object) -> float:
    """Largest change of any bone's matrix entry between the first and the last third of the clip."""
    poses = []
    for frame in (scene.frame_start, scene.frame_start + 2 * (scene.frame_end - scene.frame_start) // 3):
        scene.frame_set(frame)
        poses.append([value for bone in armature.pose.bones for row in bone.matrix for value in row])
    return max(abs(a - b) for a, b in zip(*poses, strict=True))


if __name__ == "__main__":
    facts.report(main(**json.loads(sys.argv[1])))
