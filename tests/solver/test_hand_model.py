"""The hand layer on the open hand: layout, kinematics, skinning, mirror symmetry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from solver.hand_model import HandModel, keypoint_ancestors, layout, load_pair
from solver.hand_model import rotations as so3

SIDES = ("left", "right")
ROOT = Path(__file__).parents[2]
MIRROR = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def hands() -> dict[str, HandModel]:
    return load_pair("open")


@pytest.fixture(params=SIDES)
def hand(request: pytest.FixtureRequest, hands: dict[str, HandModel]) -> HandModel:
    return hands[request.param]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _pose(rng: np.random.Generator, count: int, sigma: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotation vectors (count, 16, 3), betas (count, 10), transl (count, 3)."""
    return rng.normal(0, sigma, (count, 16, 3)), rng.normal(0, 1, (count, 10)), rng.normal(0, 0.5, (count, 3))


def test_importing_the_package_loads_numpy_and_nothing_heavier() -> None:
    code = "import sys, solver.hand_model; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "numpy" in loaded.split()
    assert not {"torch", "scipy", "smplx", "chumpy", "cv2", "bpy"} & set(loaded.split())


# --- layout -----------------------------------------------------------------------------------------------------------


def test_sizes_are_manos(hand: HandModel) -> None:
    assert hand.v_template.shape == (778, 3)
    assert hand.faces.shape == (1538, 3)
    assert hand.shapedirs.shape == (778, 3, 10)
    assert hand.posedirs.shape == (778, 3, 135)
    np.testing.assert_allclose(hand.weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(hand.J_regressor.sum(axis=1), 1, atol=1e-6)
    assert (hand.weights >= 0).all() and (hand.J_regressor >= 0).all()


def test_keypoints_are_joints_and_tips_in_openpose_order(hand: HandModel) -> None:
    rest = hand.keypoints_rest_template
    np.testing.assert_array_equal(rest[[4, 8, 12, 16, 20]], hand.v_template[list(layout.TIP_VERTICES)])
    np.testing.assert_array_equal(rest[[0, 5, 9, 13, 17, 1]], hand.joints_template[[0, 1, 4, 10, 7, 13]])
    along = np.array([rest[k] - rest[parent] for k, parent in enumerate(layout.KEYPOINT_PARENTS) if parent > 0])
    assert (np.linalg.norm(along, axis=1) > 0.01).all()


def test_surface_is_watertight_with_the_fan_and_faces_outwards(hand: HandModel) -> None:
    faces = hand.watertight_faces
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    directed = set(map(tuple, edges.tolist()))
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    a, b, c = (hand.v_template[faces[:, k]] for k in range(3))
    volume_cm3 = (np.cross(a, b) * c).sum() / 6 * 1e6
    assert 250 < volume_cm3 < 400


def test_wrist_rim_is_the_sixteen_vertex_loop(hand: HandModel) -> None:
    edges = np.concatenate([hand.faces[:, [0, 1]], hand.faces[:, [1, 2]], hand.faces[:, [2, 0]]])
    directed = set(map(tuple, edges.tolist()))
    rim = {frozenset(edge) for edge in directed if edge[::-1] not in directed}
    loop = layout.WRIST_LOOP
    assert rim == {frozenset(pair) for pair in zip(loop, loop[1:] + loop[:1], strict=True)}


def test_right_hand_lies_as_mano_does(hands: dict[str, HandModel]) -> None:
    rest = hands["right"].keypoints_rest_template - hands["right"].keypoints_rest_template[0]
    assert rest[12, 0] < -0.16  # middle finger along -x
    assert rest[4, 2] > 0.03  # thumb towards +z
    assert 0.17 < np.linalg.norm(rest[12]) < 0.20  # an adult's hand


@pytest.mark.parametrize("finger", ["index", "middle", "ring", "pinky"])
def test_turning_about_z_bends_the_right_hands_fingers_to_the_palm(hands: dict[str, HandModel], finger: str) -> None:
    shaped = hands["right"].with_shape(np.zeros(10))
    vectors = np.zeros((16, 3))
    vectors[list(layout.FINGER_JOINTS[finger]), 2] = np.deg2rad([80, 90, 50])
    tip = 4 * (layout.FINGERS.index(finger) + 1)
    flat, bent = shaped.keypoints_rest, shaped.pose(so3.exp(vectors)).keypoints
    assert bent[tip, 1] < flat[tip, 1] - 0.01  # the palm looks to -y
    knuckle = tip - 3
    assert np.linalg.norm(bent[tip] - bent[knuckle]) < 0.6 * np.linalg.norm(flat[tip] - flat[knuckle])


# --- kinematics -------------------------------------------------------------------------------------------------------


def test_rest_keypoints_are_affine_in_betas(hand: HandModel, rng: np.random.Generator) -> None:
    betas = rng.normal(0, 1, (4, 10))
    shaped = hand.with_shape(betas)
    expected = hand.keypoints_rest_template + np.einsum("kcb,nb->nkc", hand.keypoints_rest_shapedirs, betas)
    np.testing.assert_allclose(shaped.keypoints_rest, expected, atol=1e-14)
    from_vertices = np.einsum("jv,nvc->njc", hand.J_regressor, shaped.vertices_rest)
    np.testing.assert_allclose(shaped.joints_rest, from_vertices, atol=1e-14)
    np.testing.assert_allclose(
        shaped.keypoints_rest[:, [4, 8, 12, 16, 20]], shaped.vertices_rest[:, list(layout.TIP_VERTICES)], atol=1e-14
    )


def test_identity_pose_is_the_rest_hand(hand: HandModel, rng: np.random.Generator) -> None:
    shaped = hand.with_shape(rng.normal(0, 1, 10))
    posed = shaped.pose(np.tile(np.eye(3), (16, 1, 1)), np.array([0.1, 0.2, 0.3]))
    np.testing.assert_allclose(posed.vertices(), shaped.vertices_rest + [0.1, 0.2, 0.3], atol=1e-7)
    np.testing.assert_allclose(posed.keypoints, shaped.keypoints_rest + [0.1, 0.2, 0.3], atol=1e-14)


def test_wrist_does_not_move_when_the_hand_turns(hand: HandModel, rng: np.random.Generator) -> None:
    vectors, betas, transl = _pose(rng, 5)
    shaped = hand.with_shape(betas)
    np.testing.assert_allclose(
        shaped.pose(so3.exp(vectors), transl).joints[:, 0], shaped.joints_rest[:, 0] + transl, atol=1e-15
    )


def test_batches_broadcast(hand: HandModel, rng: np.random.Generator) -> None:
    vectors, betas, transl = _pose(rng, 6)
    rotations = so3.exp(vectors).reshape(2, 3, 16, 3, 3)
    together = hand.with_shape(betas[0]).pose(rotations, transl[0])
    assert together.keypoints.shape == (2, 3, 21, 3)
    alone = hand.with_shape(betas[0]).pose(rotations[1, 2], transl[0])
    np.testing.assert_allclose(together.vertices()[1, 2], alone.vertices(), atol=1e-12)
    people = hand.with_shape(betas).pose(rotations[1, 2], transl[0])
    np.testing.assert_allclose(people.vertices()[0], alone.vertices(), atol=1e-12)
    np.testing.assert_allclose(people.keypoints[0], alone.keypoints, atol=1e-12)


def test_rigid_tips_stay_near_the_skinned_ones(hand: HandModel) -> None:
    """On plausible poses; the figure is the one in the README."""
    rng = np.random.default_rng(5)
    poses = hand.hand_pose_from_pca(rng.normal(0, 0.5, (200, 6)))
    posed = hand.with_shape(np.zeros(10)).pose(np.concatenate([np.tile(np.eye(3), (200, 1, 1, 1)), poses], axis=1))
    skinned = posed.vertices()[:, list(layout.TIP_VERTICES)]
    difference_mm = np.linalg.norm(skinned - posed.keypoints[:, [4, 8, 12, 16, 20]], axis=-1) * 1e3
    assert difference_mm.max() < 1.0


def test_ancestors_say_which_rotation_moves_which_keypoint(hand: HandModel, rng: np.random.Generator) -> None:
    vectors, betas, _ = _pose(rng, 1)
    shaped = hand.with_shape(betas[0])
    before = shaped.pose(so3.exp(vectors[0])).keypoints
    moves = keypoint_ancestors()
    for joint in range(16):
        turned = so3.exp(vectors[0])
        turned[joint] = turned[joint] @ so3.exp(np.array([0.3, -0.2, 0.4]))
        moved = np.linalg.norm(shaped.pose(turned).keypoints - before, axis=1) > 1e-9
        np.testing.assert_array_equal(moved, moves[:, joint])


# --- mirror -----------------------------------------------------------------------------------------------------------


def test_left_is_the_exact_mirror_image(hands: dict[str, HandModel], rng: np.random.Generator) -> None:
    left, right = hands["left"], hands["right"]
    np.testing.assert_array_equal(left.v_template, right.v_template * MIRROR)
    np.testing.assert_array_equal(left.weights, right.weights)
    vectors, betas, transl = _pose(rng, 4)
    mirrored = vectors * [1, -1, -1]
    ours = left.with_shape(betas).pose(so3.exp(mirrored), transl * MIRROR)
    theirs = right.with_shape(betas).pose(so3.exp(vectors), transl)
    np.testing.assert_allclose(ours.vertices(), theirs.vertices() * MIRROR, atol=1e-12)
    np.testing.assert_allclose(ours.keypoints, theirs.keypoints * MIRROR, atol=1e-12)
    coefficients = rng.normal(0, 1, (3, 12))
    np.testing.assert_allclose(
        so3.log(left.hand_pose_from_pca(coefficients)),
        so3.log(right.hand_pose_from_pca(coefficients)) * [1, -1, -1],
        atol=1e-9,
    )
