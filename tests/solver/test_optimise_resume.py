"""A take, re-solved over a stretch: the pin holds, every other entry keeps its bits."""

from __future__ import annotations

import numpy as np
import pytest

from solver import hand_model
from solver.hand_model.rotations import exp
from solver.initialise import default_calibration
from solver.initialise.kinematics import joint_rotations, skeleton_of
from solver.optimise import resume
from solver.optimise.constraints import Point, Together
from solver.take import INFILLED, MISSING, OBSERVED, Take
from tools.optimiser_bench.scenes import VIEW, last, make_scene, observe

FRAMES, BASE = 80, 501
# the right hand is away for ten frames, and infilled for another ten
AWAY, FILLED = slice(30, 40), slice(55, 65)


@pytest.fixture(scope="module")
def models():
    return {side: hand_model.load(side) for side in ("left", "right")}


@pytest.fixture(scope="module")
def take(models) -> Take:
    """A take as a solve leaves it, with twisted finger tips that no hinge can make."""
    scene = make_scene(FRAMES, (("left", 0, 0, FRAMES), ("right", 0, 0, FRAMES)), seed=12)
    rng = np.random.default_rng(0)
    betas = scene.truth.betas[0]
    rotations = np.stack(
        [joint_rotations(track.bare, scene.truth.hands.take(track.hands)) for track in scene.layout.tracks]
    )
    rotations[:, :, [3, 6]] = rotations[:, :, [3, 6]] @ exp(0.05 * rng.standard_normal((2, FRAMES, 2, 3)))
    rest = [skeleton_of(models[side], np.zeros((21, 3))).at(betas)[0][0] for side in ("left", "right")]
    transl = scene.truth.hands.wrist.reshape(2, FRAMES, 3) - np.array(rest)[:, None]
    status = np.full((2, FRAMES), OBSERVED, np.uint8)
    status[1, AWAY], status[1, FILLED] = MISSING, INFILLED
    rotations[1, AWAY], transl[1, AWAY] = np.nan, np.nan
    keypoints = observe(scene.at(), 1.0, rng).reshape(2, FRAMES, 21, 2)
    keypoints[status != OBSERVED] = np.nan
    return Take(
        clip_path="clip.mp4", frame_rate=(30, 1), size=(1280, 720), frames=BASE + np.arange(FRAMES),
        intrinsics=np.concatenate([VIEW.focal_px, VIEW.centre_px]),
        world_from_camera=np.tile(np.eye(4), (FRAMES, 1, 1)), camera_kind="static",
        camera_status=np.zeros(FRAMES, np.uint8), camera_error_px=np.full(FRAMES, np.nan), points=np.zeros((0, 3)),
        model="open", model_sha256="", sides=("left", "right"), betas=np.stack([betas, betas]), rotations=rotations,
        transl=transl, status=status, confidence=(status != MISSING).astype(float), keypoints_px=keypoints,
        keypoint_covariance_px=np.tile(4 * np.eye(2), (2, FRAMES, 21, 1, 1)),
        joint_sigma=np.full((2, FRAMES, 21), np.nan), landmark_offsets=default_calibration().offsets_m,
    )  # fmt: skip


@pytest.fixture(scope="module")
def resumed(take, models):
    return resume(take, models)


def keypoint(models, take: Take, hand: int, frame: int, point: int) -> np.ndarray:
    shaped = models[take.sides[hand]].with_shape(take.betas[hand])
    return shaped.pose(take.rotations[hand, frame - BASE], take.transl[hand, frame - BASE]).keypoints[point]


def test_a_pin_in_a_take(take, models, resumed):
    target = keypoint(models, take, 0, BASE + 40, 8) + [0.01, 0.0, -0.01]
    _, after = last(resumed.resolve(BASE + 20, BASE + 60, [Point(0, BASE + 40, 8, target)], hands=[0]))
    assert np.linalg.norm(keypoint(models, after.take, 0, BASE + 40, 8) - target) < 1e-3
    outside = np.r_[0:20, 61:FRAMES]
    assert np.array_equal(after.take.rotations[0, outside], take.rotations[0, outside])
    assert np.array_equal(after.take.transl[0, outside], take.transl[0, outside])
    assert np.array_equal(after.take.rotations[1], take.rotations[1], equal_nan=True)
    assert np.isfinite(after.take.rotations[0]).all()


def test_a_second_resolve_starts_from_the_first(take, models, resumed):
    near, far = (keypoint(models, take, 0, BASE + f, 8) + 0.01 for f in (30, 70))
    _, first = last(resumed.resolve(BASE + 20, BASE + 40, [Point(0, BASE + 30, 8, near)]))
    _, second = last(first.resolve(BASE + 62, BASE + 79, [Point(0, BASE + 70, 8, far)]))
    assert np.array_equal(second.take.rotations[0, :60], first.take.rotations[0, :60])
    assert not np.array_equal(second.take.rotations[0, 70], take.rotations[0, 70])


def test_hands_can_be_brought_together_after_a_gap(take, models, resumed):
    touch = Together(0, 4, 1, 4, BASE + 45, BASE + 47, 1e-3)
    _, after = last(resumed.resolve(BASE + 41, BASE + 60, [touch]))
    gaps = [
        np.linalg.norm(keypoint(models, t, 0, BASE + 46, 4) - keypoint(models, t, 1, BASE + 46, 4))
        for t in (take, after.take)
    ]
    assert gaps[1] < 0.1 * gaps[0]


def test_a_missing_hand_cannot_be_pinned(resumed):
    with pytest.raises(ValueError, match="hand 1 has no frame 535"):
        last(resumed.resolve(BASE + 20, BASE + 60, [Point(1, BASE + 34, 8, np.zeros(3))]))
