"""A solved take in the scene and the real solver beside it, for tests of editing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import bpy
import numpy as np
from bl_ext.user_default.handheld.addon import animation, scene, solve
from bl_ext.user_default.handheld.addon.hands import hands_of

from tools.environment import SOLVER

REPOSITORY = Path(__file__).resolve().parents[2]
_MAKE = """
import sys
from solver import hand_model, take
from solver.optimise import resume
from tests.solver.edited_takes import restless, solved_take
models = {side: hand_model.load(side) for side in ("left", "right")}
resumed = resume(solved_take(models), models)
for _ in range(4):
    *_, (_, resumed) = restless(resumed).resolve(501, 580)
take.save(resumed.take, sys.argv[1])
"""


def write_take(path: Path) -> Path:
    """Eighty frames of two hands from frame 501 on, at their optimum; see ``tests/solver/edited_takes.py``."""
    subprocess.run([SOLVER.executable, "-c", _MAKE, str(path)], cwd=REPOSITORY, check=True)
    return path


def solver_command() -> list[str]:
    return [str(SOLVER.executable), "-I", str(REPOSITORY / "solver" / "launch.py"), "serve"]


def root() -> bpy.types.Object:
    return scene.edited_root(bpy.context)


def hand(side: str) -> bpy.types.Object:
    return next(armature for armature in hands_of(root()) if armature.handheld.side == side)


def all_keys(target: bpy.types.Object) -> dict[tuple[str, int], np.ndarray]:
    """(n, 2) frames and values of each curve."""
    keys = {}
    for curve in animation.curves(target):
        values = np.zeros(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", values)
        keys[curve.data_path, curve.array_index] = values.reshape(-1, 2)
    return keys


def resolve(**options) -> set[str]:
    return bpy.ops.handheld.resolve("EXEC_DEFAULT", True, **options)


def session():
    return solve.current()
