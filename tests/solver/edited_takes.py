"""A take as a solve leaves it, with everything that a re-solve has to cope with."""

from __future__ import annotations

import dataclasses

import numpy as np

from solver.hand_model import HandModel
from solver.hand_model.rotations import exp
from solver.initialise import default_calibration
from solver.initialise.kinematics import joint_rotations, skeleton_of
from solver.optimise import Resumed
from solver.optimise.costs.remembered import RestCost
from solver.take import INFILLED, MISSING, OBSERVED, Take
from tools.optimiser_bench.scenes import VIEW, make_scene, observe

FRAMES, BASE = 80, 501
# the right hand is away for ten frames, and infilled for another ten
AWAY, FILLED = slice(30, 40), slice(55, 65)


def solved_take(models: dict[str, HandModel]) -> Take:
    """Two hands, 1 px of noise, with twisted finger tips that no hinge can make."""
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


def restless(resumed: Resumed) -> Resumed:
    """A take whose re-solve goes where its costs draw it, as the solve did."""
    costs = tuple(cost for cost in resumed.problem.costs if not isinstance(cost, RestCost))
    return dataclasses.replace(resumed, problem=dataclasses.replace(resumed.problem, costs=costs))


def keypoint(models: dict[str, HandModel], take: Take, hand: int, frame: int, point: int) -> np.ndarray:
    """(3,) of a hand in a clip frame, metres."""
    shaped = models[take.sides[hand]].with_shape(take.betas[hand])
    return shaped.pose(take.rotations[hand, frame - BASE], take.transl[hand, frame - BASE]).keypoints[point]
