"""What ``python -m tools.optimiser_bench`` prints."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

from solver.optimise.constraints import Point
from solver.optimise.local import resolve
from solver.optimise.problem import Problem
from solver.optimise.solve import Stage, run
from solver.optimise.state import State
from solver.optimise.uncertainty import marginals
from solver.optimise.weights import BALANCED, FINAL

from . import served, whitening, whole
from .scenes import Scene, disturbed, last, make_scene, problem_of, seen_from

# simulated noise is independent from frame to frame, but kernels and linearisation make it look a little repeated
_NOISE_REPEATS = 1.7


def busy_clip(frames: int, seed: int = 0) -> tuple[Scene, Problem, State, np.ndarray]:
    """Two hands, a walking camera with everything free, 3 px of noise, 15-20 % of the hand-frames hidden in runs."""
    free = {"camera_free": True, "scale_free": True, "focal_free": True}
    scene = make_scene(frames, (("left", 0, 0, frames), ("right", 0, 0, frames)), seed=seed, walk=0.01, **free)
    rng = np.random.default_rng(seed + 100)
    hidden = np.zeros(2 * frames, bool)
    for hand in range(2):
        for begin in range(20, frames - 40, 100):
            hidden[hand * frames + begin : hand * frames + begin + rng.integers(10, 30)] = True
    start = disturbed(scene, seed + 1)
    seen = seen_from(scene, 3.0, hidden, seed + 2)
    palm = scene.layout.tracks[0].skeleton.palm_size
    depth = scene.at().points[..., 2] / palm + 0.25 * rng.standard_normal((2 * frames, 21))
    hinted = np.broadcast_to(~hidden[:, None], depth.shape)
    seen = replace(seen, depth=(depth - depth.mean(1, keepdims=True)) * hinted, hinted=hinted)
    return scene, problem_of(scene, seen, start), start, hidden


def compare_with_lbfgs(frames: float = 300, budget_s: float = 60) -> None:
    """CPU seconds to within a share of the best cost that anybody found."""
    from .lbfgs import Descent, descend

    _, problem, start, _ = busy_clip(int(frames))
    rows = {"ours, balanced": _our_descent(problem, start, BALANCED.stages)}
    rows["ours, one stage"] = _our_descent(problem, start, (Stage("all", 60, 1e-6),))
    rows["L-BFGS, preconditioned"] = descend(problem, start, budget_s, preconditioned=True)
    rows["L-BFGS, as in the papers"] = descend(problem, start, budget_s, preconditioned=False)
    best = min(descent.cost[-1] for descent in rows.values())
    print(f"{int(frames)} frames, two hands and camera; best cost {best:.1f}; CPU seconds, one thread")
    print(f"{'':26}{'above best':>12}{'CPU s':>8}{'to 10 %':>9}{'to 1 %':>9}{'to 0.1 %':>9}")
    for name, descent in rows.items():
        assert isinstance(descent, Descent)
        times = "".join(f"{descent.seconds_to(best * (1 + share)):9.2f}" for share in (0.1, 0.01, 0.001))
        print(f"{name:26}{descent.cost[-1] / best - 1:12.3%}{descent.seconds[-1]:8.1f}{times}")


def _our_descent(problem: Problem, start: State, stages: tuple[Stage, ...]):
    """Every iterate priced with the final objective, outside the clock."""
    from .lbfgs import Descent

    clock, spent, began, log = time.process_time, 0.0, time.process_time(), []
    for iterate in run(problem, start, stages):
        spent += clock() - began
        log.append((spent, problem.value(problem.at(iterate.state))))
        began = clock()
    seconds, cost = np.array(log).T
    return Descent(seconds, np.minimum.accumulate(cost))


def over_length() -> None:
    """Each length in its own process, so that peak memory is its own."""
    print(f"{'frames':>7}{'CPU s':>8}{'ms/frame':>10}{'factors':>9}{'marginals s':>13}{'peak MB':>9}")
    for frames in (100, 300, 1000, 3000, 10000):
        subprocess.run([sys.executable, "-m", "tools.optimiser_bench", "one-length", str(frames)], check=True)


def one_length(frames: float) -> None:
    _, problem, start, _ = busy_clip(int(frames))
    began, factorisations = time.process_time(), 0
    for iterate in run(problem, start, BALANCED.stages):
        factorisations += iterate.factorisations if iterate.outcome else 0
    solved = time.process_time()
    marginals(problem, iterate.state)
    ended, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{int(frames):7d}{solved - began:8.2f}{1e3 * (solved - began) / frames:10.2f}{factorisations:9d}"
        f"{ended - solved:13.2f}{peak:9.0f}",
        flush=True,
    )


def window() -> None:
    """A fingertip of one hand dragged by 22 mm in a clip of 300 frames, twenty times each."""
    _, problem, start, _ = busy_clip(300)
    state = last(run(problem, start, BALANCED.stages)).state
    print(f"{'window':>7}{'hands':>7}{'CPU ms median':>15}{'to first step':>15}{'steps':>7}")
    for frames in (30, 60, 120):
        for tracks in ((0,), None):
            times, first, steps = _drags(problem, state, frames, tracks)
            hands = "both" if tracks is None else "one"
            middle, soonest = 1e3 * np.median(times), 1e3 * np.median(first)
            print(f"{frames:7d}{hands:>7}{middle:15.0f}{soonest:15.0f}{np.median(steps):7.0f}", flush=True)


def _drags(problem: Problem, state: State, frames: int, tracks) -> tuple[list[float], list[float], list[int]]:
    rng = np.random.default_rng(0)
    keypoints = problem.at(state).keypoints
    times, first, steps = [], [], []
    for middle in rng.integers(80, 220, 20):
        shift = rng.standard_normal(3)
        target = keypoints[middle, 8] + 0.022 * shift / np.linalg.norm(shift)
        began = time.process_time()
        stamps = [
            (time.process_time() - began, iterate.step)
            for iterate in resolve(
                problem, state, middle - frames // 2, middle + frames // 2 - 1, [Point(0, middle, 8, target)], tracks
            )
        ]
        times.append(stamps[-1][0])
        first.append(stamps[0][0])
        steps.append(stamps[-1][1])
    return times, first, steps


def drift() -> None:
    """Start from the truth with perfect landmarks; where does the optimum lie?"""
    print(f"{'frames':>7}{'smoothness':>14}{'size prior':>12}{'hand size':>11}{'scale':>8}")
    fixed = replace(BALANCED, weights=replace(BALANCED.weights, shape_frames=1e9))
    for frames in (100, 300, 1000, 3000):
        both = (("left", 0, 0, frames), ("right", 0, 0, frames))
        scene = make_scene(frames, both, walk=0.012, camera_free=True, scale_free=True)
        others = ((False, fixed), (True, BALANCED), (True, fixed)) if frames <= 300 else ()
        for in_metres, preset in ((False, BALANCED), *others):
            problem = problem_of(scene, seen_from(scene), preset=preset, in_metres=in_metres)
            state = last(run(problem, scene.truth, (Stage("all", 40, 1e-6),))).state
            size = float((problem.at(state).hand_size / scene.at().hand_size)[0])
            kind, prior = "metres" if in_metres else "hand sizes", "fixed" if preset is fixed else "grows"
            print(f"{frames:7d}{kind:>14}{prior:>12}{size:11.4f}{np.exp(state.log_scale):8.4f}", flush=True)


def intervals() -> None:
    """Share of per-axis joint errors, relative to the wrist, inside the stated 68 % and 95 % intervals."""
    inside: dict[str, list[np.ndarray]] = {"visible": [], "hidden": []}
    for seed in range(6):
        scene, problem, start, hidden = busy_clip(200, seed)
        state = last(run(problem, start, FINAL.stages)).state
        covariance = marginals(problem.discounted(_NOISE_REPEATS), state).relative[:, 1:]
        difference = problem.at(state).keypoints - scene.at().keypoints
        error = (difference - difference[:, :1])[:, 1:]
        ratio = np.abs(error) / np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
        inside["visible"].append(ratio[~hidden].ravel())
        inside["hidden"].append(ratio[hidden].ravel())
    print(f"{'':10}{'in 68 %':>9}{'in 95 %':>9}")
    for name, parts in inside.items():
        ratio = np.concatenate(parts)
        print(f"{name:10}{(ratio < 1).mean():9.1%}{(ratio < 1.96).mean():9.1%}")


TABLES = {
    "lbfgs": compare_with_lbfgs,
    "length": over_length,
    "one-length": one_length,
    "whole": whole.over_length,
    "one-whole": whole.one_length,
    "local": window,
    "serve": served.over_take,
    "whitening": whitening.of_takes,
    "drift": drift,
    "intervals": intervals,
}
