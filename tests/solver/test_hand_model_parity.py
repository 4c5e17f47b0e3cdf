"""Our layer against two others on the same files: smplx (a development dependency, never shipped) and our torch one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import smplx
import torch

from solver.hand_model import HandModel, load
from solver.hand_model import rotations as so3
from solver.hand_model.loading import OPEN_HAND_FOLDER
from solver.hand_model.torch_layer import HandLayer
from solver.hand_model.torch_layer import exp as torch_exp

SIDES = ("left", "right")
BATCH = 8


@pytest.fixture(scope="module")
def mano_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The open hand under the file names that smplx looks for."""
    folder = tmp_path_factory.mktemp("smplx")
    for side in SIDES:
        shutil.copy(OPEN_HAND_FOLDER / f"open_hand_{side}.npz", folder / f"MANO_{side.upper()}.npz")
    return folder


@pytest.fixture
def pose() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "betas": rng.normal(0, 1, (BATCH, 10)),
        "vectors": rng.normal(0, 0.6, (BATCH, 16, 3)),
        "transl": rng.normal(0, 3, (BATCH, 3)),
        "coefficients": rng.normal(0, 0.8, (BATCH, 12)),
    }


def _smplx(kind: type, folder: Path, side: str, **options: object) -> smplx.MANO:
    path = str(folder / f"MANO_{side.upper()}.npz")
    return kind(path, is_rhand=side == "right", ext="npz", dtype=torch.float64, **options)


def _difference_mm(ours: np.ndarray, theirs: torch.Tensor) -> float:
    return float(np.abs(ours - theirs.detach().numpy()).max() * 1e3)


@pytest.mark.parametrize("side", SIDES)
def test_equals_smplx_from_rotation_matrices(side: str, mano_folder: Path, pose: dict[str, np.ndarray]) -> None:
    layer = _smplx(smplx.MANOLayer, mano_folder, side)
    rotations = so3.exp(pose["vectors"])
    theirs = layer(
        betas=torch.tensor(pose["betas"]),
        global_orient=torch.tensor(rotations[:, :1]),
        hand_pose=torch.tensor(rotations[:, 1:]),
        transl=torch.tensor(pose["transl"]),
    )
    ours = load(side, "open").with_shape(pose["betas"]).pose(rotations, pose["transl"])
    assert _difference_mm(ours.vertices(), theirs.vertices) < 1e-4
    assert _difference_mm(ours.joints, theirs.joints) < 1e-4


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("flat_hand_mean", [True, False])
def test_equals_smplx_from_rotation_vectors(
    side: str, flat_hand_mean: bool, mano_folder: Path, pose: dict[str, np.ndarray]
) -> None:
    """Without PCA smplx adds the mean to the vectors unless flat_hand_mean: our rotations hold the sum."""
    theirs = _smplx(smplx.MANO, mano_folder, side, use_pca=False, flat_hand_mean=flat_hand_mean)(
        betas=torch.tensor(pose["betas"]),
        global_orient=torch.tensor(pose["vectors"][:, 0]),
        hand_pose=torch.tensor(pose["vectors"][:, 1:].reshape(BATCH, 45)),
        transl=torch.tensor(pose["transl"]),
    )
    model = load(side, "open")
    mean = np.zeros(45) if flat_hand_mean else model.hands_mean
    vectors = pose["vectors"] + np.concatenate([np.zeros(3), mean]).reshape(16, 3)
    ours = model.with_shape(pose["betas"]).pose(so3.exp(vectors), pose["transl"])
    assert _difference_mm(ours.vertices(), theirs.vertices) < 1e-4
    assert _difference_mm(ours.joints, theirs.joints) < 1e-4


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("flat_hand_mean", [True, False])
def test_equals_smplx_from_pca(side: str, flat_hand_mean: bool, mano_folder: Path, pose: dict[str, np.ndarray]) -> None:
    layer = _smplx(smplx.MANO, mano_folder, side, use_pca=True, num_pca_comps=12, flat_hand_mean=flat_hand_mean)
    theirs = layer(
        betas=torch.tensor(pose["betas"]),
        global_orient=torch.tensor(pose["vectors"][:, 0]),
        hand_pose=torch.tensor(pose["coefficients"]),
        transl=torch.tensor(pose["transl"]),
    )
    model = load(side, "open")
    fingers = model.hand_pose_from_pca(pose["coefficients"], flat_hand_mean)
    rotations = np.concatenate([so3.exp(pose["vectors"][:, :1]), fingers], axis=1)
    ours = model.with_shape(pose["betas"]).pose(rotations, pose["transl"])
    assert _difference_mm(ours.vertices(), theirs.vertices) < 1e-4
    assert _difference_mm(ours.joints, theirs.joints) < 1e-4


# --- our torch layer --------------------------------------------------------------------------------------------------


@pytest.fixture(params=SIDES)
def hand(request: pytest.FixtureRequest) -> HandModel:
    return load(request.param, "open")


def test_torch_layer_equals_numpy(hand: HandModel, pose: dict[str, np.ndarray]) -> None:
    rotations = so3.exp(pose["vectors"])
    ours = hand.with_shape(pose["betas"]).pose(rotations, pose["transl"])
    layer = HandLayer(hand, torch.float64)
    arguments = [torch.tensor(array) for array in (pose["betas"], rotations, pose["transl"])]
    vertices, joints, keypoints = layer(*arguments)
    np.testing.assert_allclose(vertices, ours.vertices(), atol=1e-12)
    np.testing.assert_allclose(joints, ours.joints, atol=1e-12)
    np.testing.assert_allclose(keypoints, ours.keypoints, atol=1e-12)
    one_shape = layer(arguments[0][0], arguments[1].reshape(2, 4, 16, 3, 3), arguments[2][0])
    assert one_shape[0].shape == (2, 4, 778, 3)
    np.testing.assert_allclose(one_shape[2][0, 0], keypoints[0], atol=1e-12)


def test_torch_layer_has_right_gradients(hand: HandModel, pose: dict[str, np.ndarray]) -> None:
    layer = HandLayer(hand, torch.float64)
    probe = torch.tensor(np.random.default_rng(1).normal(0, 1, (3, 3)))

    def value(betas: torch.Tensor, vectors: torch.Tensor, transl: torch.Tensor) -> torch.Tensor:
        vertices, _, keypoints = layer(betas, torch_exp(vectors), transl)
        return (vertices[[10, 320, 700]] * probe).sum() + (keypoints[[4, 8, 19]] * probe).sum()

    start = [torch.tensor(pose[key][0], requires_grad=True) for key in ("betas", "vectors", "transl")]
    assert torch.autograd.gradcheck(value, start, fast_mode=True)


def test_torch_exponential_is_ours_and_smooth_at_zero(pose: dict[str, np.ndarray]) -> None:
    vectors = np.concatenate([pose["vectors"].reshape(-1, 3), np.zeros((1, 3)), np.full((1, 3), 1e-6)])
    np.testing.assert_allclose(torch_exp(torch.tensor(vectors)), so3.exp(vectors), atol=1e-14)
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(torch_exp, (zero,))
