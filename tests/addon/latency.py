"""``PYTHON_WITH_BPY tests/addon/latency.py``: from key to keys: 60 frames of two hands, warm, median of 20.

No test: seconds belong to a machine. CPU seconds are Blender's and the solver's together.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import conftest  # isort: skip - before bpy is imported it says where extensions lie
import bpy
from mathutils import Vector
from solved import hand, resolve, solver_command, write_take

ROUNDS = 20


def main() -> None:
    solve = sys.modules[f"{conftest.MODULE}.addon.solve"]
    solve.command = lambda context: solver_command()
    take = write_take(Path(tempfile.mkdtemp()) / "take.npz")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.handheld.import_take(filepath=str(take), use_clip=False)
    editing = bpy.context.scene.handheld_editing
    editing.first, editing.last = 511, 570
    resolve(frames="RANGE")
    wall, cpu = [], []
    for number in range(ROUNDS):
        frame = 530 + number
        bpy.context.scene.frame_set(frame)
        wrist = hand("left").pose.bones["wrist"]
        wrist.location = wrist.location + Vector((0.003, 0.0, 0.0))
        wrist.keyframe_insert("location", frame=frame)
        child = solve.current()._process.pid
        began, spent = time.monotonic(), time.process_time() + _cpu_of(child)
        resolve(frames="RANGE")
        wall.append(time.monotonic() - began)
        cpu.append(time.process_time() + _cpu_of(child) - spent)
    print(f"wall {statistics.median(wall):.2f} s, CPU {statistics.median(cpu):.2f} s (medians of {ROUNDS})")


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


main()
