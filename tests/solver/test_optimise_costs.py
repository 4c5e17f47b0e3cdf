"""Every cost's gradient and Gauss-Newton matrix against central differences of its residuals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver.hand_model.rotations import exp
from solver.initialise.kinematics import Pose
from solver.optimise import costs
from solver.optimise.costs.remembered import RememberedCost, RestCost
from solver.optimise.evaluation import Evaluation
from solver.optimise.kernels import GemanMcClure
from solver.optimise.layout import ROOT, Layout
from solver.optimise.system import System
from tools.optimiser_bench.scenes import make_scene, observe, wander

FREE = {"camera_free": True, "shape_free": True, "scale_free": True, "focal_free": True, "offsets_free": True}
SPANS = (("left", 0, 0, 4), ("right", 1, 1, 3), ("right", 1, 6, 3))
FRAMES = 9


@pytest.fixture(scope="module")
def at() -> Evaluation:
    """Nine frames, three tracks in two slots, two shapes, everything free, nothing at its prior's mean."""
    scene = make_scene(FRAMES, SPANS, seed=3, walk=0.01, **FREE)
    rng = np.random.default_rng(8)
    step = 0.02 * rng.standard_normal((FRAMES, scene.layout.block_size))
    return scene.at().moved(step, 0.05 * rng.standard_normal(scene.layout.border_size) * _border_unit(scene.layout))


def _border_unit(layout: Layout) -> np.ndarray:
    unit = np.ones(layout.border_size)
    unit[layout.border["offsets"]] = 0.02
    return unit


def _numeric_jacobian(cost: costs.Cost, at: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (rows, m) and their derivative (rows, m, T * D + b); columns that the cost doesn't touch stay zero."""
    layout, h = at.layout, 1e-6
    frames, size = layout.frame_count, layout.block_size
    residual = cost.residuals(at)
    out = np.zeros((*residual.shape, frames * size + layout.border_size))
    for column in np.flatnonzero(_touched(cost, layout)):
        step = np.zeros(frames * size + layout.border_size)
        step[column] = h
        plus, minus = (
            cost.residuals(at.moved(s[: frames * size].reshape(frames, size), s[frames * size :]))
            for s in (step, -step)
        )
        out[..., column] = (plus - minus) / (2 * h)
    return residual, out


def _touched(cost: costs.Cost, layout: Layout) -> np.ndarray:
    blocks = np.zeros((layout.frame_count, layout.block_size), bool)
    for track in layout.tracks:
        column = track.slot * layout.hand_size
        blocks[track.frames, column : column + ROOT] = "wrists" in cost.touches
        blocks[track.frames, column + ROOT : column + layout.hand_size] = "fingers" in cost.touches
    blocks[:, layout.camera] = "camera" in cost.touches
    border = np.zeros(layout.border_size, bool)
    for name, columns in layout.border.items():
        border[columns] = {"shape": "betas"}.get(name, name) in cost.touches
    return np.concatenate([blocks.reshape(-1), border])


def dense(system: System) -> tuple[np.ndarray, np.ndarray]:
    """The whole symmetric matrix and the gradient."""
    layout = system.layout
    t, d = layout.frame_count, layout.block_size
    matrix = np.zeros((t * d + layout.border_size,) * 2)
    for offset in range(3):
        for i in range(t - offset):
            rows, columns = slice((i + offset) * d, (i + offset + 1) * d), slice(i * d, (i + 1) * d)
            matrix[rows, columns] = system.band(offset)[i]
            matrix[columns, rows] = system.band(offset)[i].T
    matrix[: t * d, t * d :] = system.border.reshape(t * d, -1)
    matrix[t * d :, : t * d] = matrix[: t * d, t * d :].T
    matrix[t * d :, t * d :] = system.corner
    return matrix, np.concatenate([system.gradient.reshape(-1), system.border_gradient])


def check(cost: costs.Cost, at: Evaluation, tolerance: float = 2e-6) -> None:
    """The cost's system equals the one made of numeric Jacobians, and its value is half its weighted squares."""
    system = System(at.layout)
    cost.add_to(system, at)
    matrix, gradient = dense(system)
    residual, jacobian = _numeric_jacobian(cost, at)
    weight = _weights(cost, residual)
    weighted = weight[..., None] * jacobian
    flat = jacobian.reshape(-1, jacobian.shape[-1])
    expected = weighted.reshape(flat.shape).T @ flat
    np.testing.assert_allclose(
        gradient, flat.T @ (weight * residual).reshape(-1), atol=tolerance * np.abs(gradient).max()
    )
    np.testing.assert_allclose(matrix, expected, atol=tolerance * np.abs(expected).max())
    assert np.abs(residual).max() > 0, "a cost at zero tests nothing"


def _weights(cost: costs.Cost, residual: np.ndarray) -> np.ndarray:
    return np.broadcast_to(cost.kernel.weight((residual**2).sum(-1))[:, None], residual.shape)


def _keypoints(at: Evaluation, kernel: GemanMcClure) -> costs.KeypointCost:
    rng = np.random.default_rng(1)
    n = at.layout.hand_count
    half = rng.standard_normal((n, 21, 2, 2))
    whitening = costs.whitening_of(half @ half.swapaxes(-1, -2) + 4 * np.eye(2))
    whitening[2] = 0
    return costs.KeypointCost(targets_px=observe(at, 8.0, rng), whitening=whitening, kernel=kernel)


def test_keypoints(at):
    check(_keypoints(at, GemanMcClure(5.0)), at)


@pytest.mark.parametrize("free", ["none", "camera_free", "scale_free", "focal_free", "shape_free", "offsets_free"])
def test_fewer_free_variables_leave_a_part_of_the_same_system(at, free):
    """What is not free just loses its rows and columns."""
    full = System(at.layout)
    cost = _keypoints(at, GemanMcClure(5.0))
    cost.add_to(full, at)
    flags = dict.fromkeys(FREE, False) | ({free: True} if free != "none" else {})
    layout = Layout(at.layout.frame_count, at.layout.tracks, at.layout.shape_count, **flags)
    part = System(layout)
    cost.add_to(part, Evaluation(layout, at.view, at.state))
    kept = np.ones((FRAMES, at.layout.block_size), bool)
    kept[:, at.layout.camera] = layout.camera_free
    border = [
        np.full(columns.stop - columns.start, layout.border[name].stop > layout.border[name].start)
        for name, columns in at.layout.border.items()
    ]
    index = np.flatnonzero(np.concatenate([kept.reshape(-1), *border]))
    matrix, gradient = dense(full)
    np.testing.assert_allclose(dense(part)[0], matrix[np.ix_(index, index)], atol=1e-9 * np.abs(matrix).max())
    np.testing.assert_allclose(dense(part)[1], gradient[index], atol=1e-9 * np.abs(gradient).max())


def test_depth_hint(at):
    rng = np.random.default_rng(2)
    n = at.layout.hand_count
    ray = rng.standard_normal((n, 3))
    information = rng.uniform(20, 60, (n, 21)) * (rng.uniform(size=(n, 21)) > 0.2)
    information[1] = 0
    check(
        costs.DepthHintCost(
            ray=ray / np.linalg.norm(ray, axis=1, keepdims=True),
            depth=rng.standard_normal((n, 21)) * (information > 0),
            information=information,
            kernel=GemanMcClure(3.0),
        ),
        at,
    )


def test_finger_dynamics(at):
    hinges = at.layout.tracks[0].skeleton.hinges
    check(costs.FingerDynamicsCost(process=costs.process(hinges.sigma, 0.09, 1 / 30)), at)


@pytest.mark.parametrize("in_metres", [False, True])
@pytest.mark.parametrize("scale_deviation", [0.0, 0.7])
def test_wrist_position(at, in_metres, scale_deviation):
    centre = at.state.camera_centre + 0.1
    moving = costs.process(1.5, 0.2, 1 / 30)
    looseness = np.random.default_rng(6).uniform(1, 3, at.layout.hand_count)
    cost = costs.WristPositionCost(
        process=moving, centre=centre, scale_deviation=scale_deviation, in_metres=in_metres, looseness=looseness
    )
    check(cost, at)


def test_a_wrist_may_follow_the_camera_as_far_as_its_scale_is_unsure(at):
    """The row's covariance is the process's, and along the camera's own innovation what the scale adds."""
    moving, s = costs.process(1.5, 0.2, 1 / 30), 0.7
    centre = np.random.default_rng(5).standard_normal(at.state.camera_centre.shape)
    sure = costs.WristPositionCost(process=moving, centre=centre, log_scale=at.state.log_scale)
    row = replace(sure, scale_deviation=s).linearise(at)
    own = sure.linearise(at).slopes[-1][:, 0]
    for t, root, plain in zip(at.layout.frame_of[row.hands], row.slopes[-1], own, strict=True):
        carried = centre[t + 2] - (1 + moving.memory) * centre[t + 1] + moving.memory * centre[t]
        carried = s * np.exp(at.state.log_scale) * carried
        expected = np.eye(3) / plain**2 + np.outer(carried, carried)
        np.testing.assert_allclose(np.linalg.inv(root @ root), expected, rtol=1e-9, atol=1e-12)


def test_wrist_rotation(at):
    check(costs.WristRotationCost(process=costs.process(2.5, 0.2, 1 / 30)), at)


def test_joint_limits(at):
    hinges = at.layout.tracks[0].skeleton.hinges
    check(costs.JointLimitCost(low=hinges.mean - 0.1, high=hinges.mean + 0.1, deviation=0.05), at)


def test_pose_distribution(at):
    hinges = at.layout.tracks[0].skeleton.hinges
    check(costs.PoseDistributionCost(mean=hinges.mean, deviation=hinges.sigma), at)


@pytest.mark.parametrize(
    "cost",
    [
        costs.ShapeCost(shape=1, mean=np.full(10, 0.3), deviation=0.7),
        costs.ShapeLimitCost(shape=1, limit=np.linspace(0.01, 0.9, 10), deviation=0.1),
        costs.HandSizeCost(shape=1, track=1, log_size=np.log(0.18), deviation=0.05),
        costs.ScaleCost(log_scale=0.3, deviation=0.1),
        costs.FocalCost(deviation=0.03),
        costs.OffsetsCost(deviation=0.004),
    ],
    ids=lambda cost: cost.name,
)
def test_globals(at, cost):
    check(cost, at)


def test_camera(at):
    rng = np.random.default_rng(4)
    t = at.layout.frame_count
    check(
        costs.CameraCost(
            camera_from_world=exp(wander(rng, t, (3,), 0.2, 5)) @ at.state.camera_from_world,
            centre=at.state.camera_centre + wander(rng, t, (3,), 0.02, 5),
            information=30 * rng.standard_normal((t, 6, 6)),
            step_information=200 * rng.standard_normal((t - 1, 6, 6)),
            log_scale=0.1,
        ),
        at,
    )


def test_point_target(at):
    rng = np.random.default_rng(6)
    hands, points = np.array([0, 0, 3, 9]), np.array([0, 8, 8, 20])
    targets = at.points[hands, points] + 0.02 * rng.standard_normal((4, 3))
    check(costs.PointTargetCost(hands=hands, points=points, targets=targets, deviation=np.full(4, 0.002)), at)


def test_together(at):
    check(
        costs.TogetherCost(
            first=np.array([1, 2]),
            first_point=np.array([4, 8]),
            second=np.array([4, 5]),
            second_point=np.array([8, 0]),
            deviation=np.array([0.01, 0.02]),
            kernel=GemanMcClure(20.0),
        ),
        at,
    )


def test_hold_still(at):
    check(costs.hold_still(np.arange(0, 4), 8, 0.001), at)


def test_angles_target(at):
    hinges = len(at.layout.tracks[0].skeleton.hinges)
    check(
        costs.AnglesTargetCost(
            hands=np.array([2, 7]), targets=np.zeros((2, hinges)), information=np.full((2, hinges), 9.0)
        ),
        at,
    )


def test_orient_target(at):
    hands = np.array([1, 8])
    targets = exp(np.array([[0.3, -0.2, 0.5], [0.0, 1.0, 0.2]])) @ at.state.hands.global_orient[hands]
    check(costs.OrientTargetCost(hands=hands, targets=targets, deviation=np.array([0.05, 0.1])), at)


def _around(at: Evaluation) -> Pose:
    step = 0.3 * np.random.default_rng(4).standard_normal((at.layout.hand_count, at.layout.hand_size))
    return at.state.hands.moved(step)


def test_remembered(at):
    rng, n, d = np.random.default_rng(5), at.layout.hand_count, at.layout.hand_size
    root, pull = rng.standard_normal((n, d, d)), rng.standard_normal((n, d))
    root[3], pull[3] = 0, 0
    check(RememberedCost(around=_around(at), root=root, pull=pull, kernel=GemanMcClure(8.0)), at)


def test_rest(at):
    """At rest it is the opposite of the slope it was made from; anywhere, what its residuals say."""
    slope = np.random.default_rng(6).standard_normal((at.layout.hand_count, at.layout.hand_size))
    check(RestCost(around=_around(at), slope=slope), at)
    system, rest = System(at.layout), RestCost(around=at.state.hands, slope=slope)
    rest.add_to(system, at)
    frames, columns = at.layout.frame_of[:, None], at.layout.column_of[:, None] + np.arange(at.layout.hand_size)
    np.testing.assert_allclose(system.gradient[frames, columns], -slope, atol=1e-12)
    assert rest.value(at) == 0
