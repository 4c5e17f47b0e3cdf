"""The whole optimiser on a made-up clip, by its own front door: every cost, the camera and all globals solved along."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np

from solver import hand_model
from solver.camera.cameras import ScaleEstimate
from solver.observations import HandTrack
from solver.optimise import RefineOptions, refine

from .scenes import Scene, as_calibrated, camera_of, initial_motion, last, make_scene, observe

_NOISE_PX = 3.0
# metres of each hand from the middle: the fingers meet now and then
_APART_M = 0.1


def over_length() -> None:
    """Each length in its own process, so that peak memory is its own."""
    print(f"{'frames':>7}{'CPU s':>8}{'ms/frame':>10}{'peak MB':>9}  costs")
    for frames in (100, 300, 1000, 3000):
        subprocess.run([sys.executable, "-m", "tools.optimiser_bench", "one-whole", str(frames)], check=True)


def one_length(frames: float) -> None:
    """From tracks and their initial fit to hands, camera and covariances, in quality "balanced"."""
    count = int(frames)
    scene = as_calibrated(make_scene(count, (("left", 0, 0, count), ("right", 0, 0, count)), walk=0.01, apart=_APART_M))
    rng = np.random.default_rng(1)
    tracks = _tracks(scene, rng)
    motions = {index: initial_motion(scene, index, track.side, track.frames, rng) for index, track in enumerate(tracks)}
    camera = camera_of(
        scene,
        "general",
        pose_sigma=np.tile([1e-3, 1e-3], (count, 1)),
        expected_error=np.tile([5e-3, 1e-2], (count, 1)),
        scale=ScaleEstimate(low=0.8, high=1.25),
        focal_sigma=0.02,
    )
    models = {side: hand_model.load(side) for side in ("left", "right")}
    options = RefineOptions(solve_camera=True, solve_scale=True, solve_focal=True)
    began = time.process_time()
    refined = last(refine(tracks, motions, models, camera, np.arange(count), 1 / 30, options))
    spent, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    costs = " ".join(sorted({cost.name for cost in refined.problem.costs}))
    print(f"{count:7d}{spent:8.2f}{1e3 * spent / count:10.2f}{peak:9.0f}  {costs}", flush=True)


def _tracks(scene: Scene, rng: np.random.Generator) -> list[HandTrack]:
    """What a tracker would see: 15-20 % of the frames missing in runs, its own 3D hand with errors of a fifth."""
    count = scene.layout.frame_count
    image = observe(scene.at(), _NOISE_PX, rng).reshape(2, count, 21, 2)
    hands = scene.at().points_camera.reshape(2, count, 21, 3)
    out = []
    for hand, side in enumerate(("left", "right")):
        hidden = np.zeros(count, bool)
        for begin in range(20, count - 40, 100):
            hidden[begin : begin + rng.integers(10, 30)] = True
        seen = np.flatnonzero(~hidden)
        own = hands[hand, seen] - hands[hand, seen].mean(1, keepdims=True)
        own = own + 0.2 * np.std(own) * rng.standard_normal(own.shape)
        covariance = np.tile(_NOISE_PX**2 * np.eye(2), (len(seen), 21, 1, 1))
        out.append(HandTrack(side, 9.0, seen, image[hand, seen], covariance, own, np.ones(len(seen))))
    return out
