"""How long an artist waits: re-solves of 60 frames in a running ``serve`` process, from request to answer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from solver import constraints, hand_model, messages
from solver import take as takes
from solver.optimise.constraints import Point
from solver.take import OBSERVED, Take

_LAUNCH = Path(__file__).resolve().parents[2] / "solver" / "launch.py"
_FRAMES, _TIMES, _DRAG_M, _FINGERTIP = 60, 20, 0.022, 8


def over_take(path: str) -> None:
    """A fingertip dragged by 22 mm somewhere in the take, one hand free to move; the first request reads the take."""
    take = takes.load(path)
    asked = [_request(take, path, number) for number in range(_TIMES + 1)]
    child = subprocess.Popen(
        [sys.executable, "-I", str(_LAUNCH), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, encoding="utf-8",
    )  # fmt: skip
    with child:
        child.stdout.readline()
        waits = np.array([_answered(child, request) for request in asked])
        child.stdin.close()
    print(f"{len(take.frames)} frames, {len(take.sides)} hands; {_FRAMES} re-solved, one hand moving, {_TIMES} times")
    print(f"{'':10}{'poses, wall ms':>16}{'CPU ms':>9}{'sureness, wall ms':>20}{'CPU ms':>9}")
    rows = {"first": waits[0], "median": np.median(waits[1:], axis=0), "slowest": waits[1:].max(axis=0)}
    for name, row in rows.items():
        print(f"{name:10}{1e3 * row[0]:16.0f}{1e3 * row[1]:9.0f}{1e3 * row[2]:20.0f}{1e3 * row[3]:9.0f}")


def _request(take: Take, path: str, number: int) -> messages.ResolveRequest:
    rng = np.random.default_rng(number)
    hand = number % len(take.sides)
    row = rng.choice(np.flatnonzero(take.status[hand] == OBSERVED))
    model = hand_model.load(take.sides[hand]).with_shape(take.betas[hand])
    tip = model.pose(take.rotations[hand, [row]], take.transl[hand, [row]]).keypoints[0, _FINGERTIP]
    way = rng.standard_normal(3)
    frame = int(take.frames[row])
    wish = Point(hand, frame, _FINGERTIP, tip + _DRAG_M * way / np.linalg.norm(way))
    first, last = frame - _FRAMES // 2, frame + _FRAMES // 2 - 1
    return messages.ResolveRequest(
        number + 1, str(Path(path).resolve()), "open", first=max(first, int(take.frames[0])),
        last=min(last, int(take.frames[-1])), hands=(hand,), constraints=(constraints.to_json(wish),),
    )  # fmt: skip


def _answered(child: subprocess.Popen, request: messages.ResolveRequest) -> tuple[float, ...]:
    """Wall seconds and the child's CPU seconds (NaN where the system does not tell) until the last pose came, and until
    the child was done: after the poses it says how sure they are."""
    wall, cpu = time.perf_counter(), _cpu_seconds(child.pid)
    posed = (0.0, 0.0)
    child.stdin.write(messages.encode(request) + "\n")
    child.stdin.flush()
    while True:
        message = messages.decode(child.stdout.readline())
        if isinstance(message, messages.Failed):
            raise SystemExit(message.sentence)
        if isinstance(message, messages.TrackPose):
            posed = time.perf_counter() - wall, _cpu_seconds(child.pid) - cpu
        if isinstance(message, messages.ENDINGS):
            return *posed, time.perf_counter() - wall, _cpu_seconds(child.pid) - cpu


def _cpu_seconds(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return float("nan")
    user, system = stat.read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
