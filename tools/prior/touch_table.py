"""Are touches found where hands touch, and only there; and what do they do to the solve."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from solver.optimise.bodies import bodies
from solver.optimise.costs.contact import shared_frames
from solver.optimise.costs.touch import TouchCost
from solver.optimise.evaluation import Evaluation
from solver.optimise.meeting import of_air, part
from solver.optimise.objective import clip_costs
from solver.optimise.problem import Problem
from solver.optimise.solve import run as solve
from solver.optimise.state import State
from solver.optimise.weights import BALANCED, Preset
from tools.optimiser_bench.scenes import VIEW, last

from .size import WHOLE
from .touch_scenes import FRAME_S, KINDS, TouchScene, both_capsules, least_gap, models, scenes

TOGETHER = frozenset({"touch", "no-slip", "relative-wrist"})
ARMS = {"solid": replace(BALANCED, off=TOGETHER), "solid, touching": BALANCED}


@dataclass(frozen=True)
class Figures:
    """Of one scene, by frame (T,): whether a touch of both hands is evident, and true; by arm, air between hands and
    error of one wrist relative to the other; CPU seconds."""

    kind: str
    evident: np.ndarray
    touching: np.ndarray
    gap_m: dict[str, np.ndarray]
    wrist_m: dict[str, np.ndarray]
    seconds: dict[str, float]


def run(say: Callable[[str], None], count: int = WHOLE.scenes, seed: int = 1) -> list[Figures]:
    """Print the tables of ``count`` scenes of each kind."""
    found = [figures(scene) for scene in scenes(count, seed)]
    evident, touching = (np.concatenate([getattr(f, name) for f in found]) for name in ("evident", "touching"))
    both = (evident & touching).sum()
    say(
        f"{count} scenes of each kind; {both / max(evident.sum(), 1):.0%} of {evident.sum()} evident frames touch, "
        f"{both / touching.sum():.0%} of {touching.sum()} frames that touch are evident"
    )
    say("| scenes | hands | evident | air p50, p90 mm | wrists to each other p50, p90 mm | CPU s |")
    say("|---|---|---|---|---|---|")
    for kind in KINDS:
        mine = [f for f in found if f.kind == kind]
        for arm in ARMS:
            say(f"| {kind} | {arm} | {_line(mine, arm)} |")
    return found


def _line(mine: list[Figures], arm: str) -> str:
    inside = [f.touching if f.kind == "touch" else np.ones(len(f.touching), bool) for f in mine]
    gap, wrist = (
        1e3 * np.concatenate([getattr(f, name)[arm][rows] for f, rows in zip(mine, inside, strict=True)])
        for name in ("gap_m", "wrist_m")
    )
    evident = np.concatenate([f.evident for f in mine]).mean()
    told = ", ".join(f"{np.percentile(gap, share):.1f}" for share in (50, 90))
    off = ", ".join(f"{np.percentile(wrist, share):.1f}" for share in (50, 90))
    return f"{evident:.0%} | {told} | {off} | {sum(f.seconds[arm] for f in mine):.1f}"


def figures(scene: TouchScene) -> Figures:
    """Both arms on one scene."""
    evident = np.zeros(len(scene.touching), bool)
    gap, wrist, seconds = {}, {}, {}
    for name, preset in ARMS.items():
        began = time.process_time()
        problem = problem_of(scene, preset)
        state = _solved(problem, scene, preset)
        seconds[name] = time.process_time() - began
        at = problem.at(state)
        gap[name] = air(at)
        wrist[name] = _wrists_off(scene, state)
        for cost in problem.costs:
            if isinstance(cost, TouchCost):
                evident[frames_of_both(scene, cost)] = True
    return Figures(scene.kind, evident, scene.touching, gap, wrist, seconds)


def _solved(problem: Problem, scene: TouchScene, preset: Preset) -> State:
    """As the product solves: hands of air, then as bodies where they meet."""
    apart = last(solve(of_air(problem), scene.start, preset.stages))
    return deque([apart, *part(problem, apart)], maxlen=1).pop().state


def problem_of(scene: TouchScene, preset: Preset) -> Problem:
    """The product's problem of a scene."""
    layout = scene.scene.layout
    made = clip_costs(layout, scene.start, scene.seen, scene.camera, FRAME_S, preset, (bodies(models()),), (0, 1))
    return Problem(layout, VIEW, made)


def frames_of_both(scene: TouchScene, cost: TouchCost) -> np.ndarray:
    """Frames with a touch of one hand with the other."""
    layout, t = scene.scene.layout, cost.touches_of
    return layout.frame_of[t.first[layout.track_of[t.first] != layout.track_of[t.second]]]


def air(at: Evaluation) -> np.ndarray:
    """(T,) metres between the nearest parts of both hands."""
    first, second = shared_frames(at.layout, 0, 1)
    one, other = both_capsules()
    ends = zip(*one.axes(at.keypoints[first]), *other.axes(at.keypoints[second]), strict=True)
    return np.array([least_gap((a, b), (c, d)) for a, b, c, d in ends])


def _wrists_off(scene: TouchScene, state) -> np.ndarray:
    first, second = shared_frames(scene.scene.layout, 0, 1)
    apart = [x.hands.wrist[first] - x.hands.wrist[second] for x in (state, scene.scene.truth)]
    return np.linalg.norm(apart[0] - apart[1], axis=-1)
