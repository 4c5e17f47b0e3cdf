"""Other programs' results in the benchmark: files made here from known motion must score as that motion."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from solver import take as takes
from solver.bench import peers, prediction
from solver.bench.clips import BenchClip
from solver.bench.evaluate import evaluate
from solver.bench.truth import VISIBLE, Truth
from solver.camera.cameras import project
from solver.formats import convert
from solver.hand_model import loading
from solver.hand_model.rotations import exp

from .samples import sample_take

COUNT = 8
MODELS = loading.load_pair("open")


@pytest.fixture
def take() -> takes.Take:
    """Two mean hands before a camera that travels and turns."""
    t = np.linspace(0, 0.2, COUNT)
    cameras = np.broadcast_to(np.eye(4), (COUNT, 4, 4)).copy()
    cameras[:, :3, :3] = exp(np.stack([0 * t, t, 0.3 * t], axis=1))
    cameras[:, 0, 3] = t
    turns = np.broadcast_to(np.eye(3), (2, COUNT, 16, 3, 3)).copy()
    turns[:, :, 5] = exp(np.array([0.1, 0.0, 0.4]))
    transl = np.stack([np.stack([x + t, 0.1 * t, 0.5 + t], axis=1) for x in (-0.2, 0.1)])
    return dataclasses.replace(
        sample_take(COUNT), model="open", world_from_camera=cameras, rotations=turns, transl=transl,
        betas=np.zeros((2, 10)), frame_rate=(30, 1), status=np.full((2, COUNT), takes.OBSERVED, np.uint8),
    )  # fmt: skip


@pytest.fixture
def clip(take, tmp_path) -> BenchClip:
    empty = Truth(take.frames, 30.0, take.size, take.intrinsics, take.world_from_camera, *[np.zeros(0)] * 3)
    said = prediction.from_take(take, empty, MODELS)
    visible = np.full((COUNT, 2, 21), VISIBLE)
    px = said.in_picture(said.keypoints)
    truth = dataclasses.replace(empty, keypoints=said.keypoints, keypoints_px=px, visibility=visible)
    return BenchClip(tmp_path / "walk", tmp_path / "walk" / "clip.mp4", "", (), truth)


def _score(path, clip, own=None) -> dict[str, float]:
    return evaluate(clip.truth, peers.read(path, clip, MODELS, own)).figures


def test_dyn_hamr_with_its_own_camera(take, clip, tmp_path):
    folder = tmp_path / "peers" / "Dyn-HaMR"
    folder.mkdir(parents=True)
    convert.export(take, folder / "walk.npz", "dyn-hamr", MODELS)
    ((name, path),) = peers.find(tmp_path / "peers", "walk")
    assert name == "Dyn-HaMR"
    assert not peers.find(tmp_path / "peers", "table")
    figures = _score(path, clip)
    for figure in ("c_mpjpe", "ga_rigid", "ate_s", "mrrpe", "error_px"):
        assert figures[figure] == pytest.approx(0.0, abs=1e-3), figure
    assert figures["recall"] == figures["side_right"] == 1.0


@pytest.mark.parametrize("first", [0, 1])
def test_frame_by_frame_results_get_the_products_camera(take, clip, tmp_path, first):
    """HaMeR's and WiLoR's way: in the camera's frame, for a lens of their own, whose depth is to be brought to ours."""
    folder, virtual = tmp_path / "peers" / "WiLoR" / "walk", 3.0
    folder.mkdir(parents=True)
    for row in range(COUNT):
        np.savez(folder / f"{row + first:06d}.npz", **_wilor_frame(take, row, virtual))
    figures = _score(folder, clip, take)
    assert figures["recall_right"] == 1.0
    assert figures["recall_left"] == 0.0
    for figure in ("c_mpjpe", "ga_rigid", "ate_s", "error_px"):
        assert figures[figure] == pytest.approx(0.0, abs=0.01), figure
    assert _score(folder, clip)["ate_s"] > 10  # without a camera it stands still


def _wilor_frame(take: takes.Take, row: int, virtual: float) -> dict[str, np.ndarray]:
    turn, centre = take.world_from_camera[row, :3, :3], take.world_from_camera[row, :3, 3]
    rest = MODELS["right"].with_shape(np.zeros(10)).joints_rest[0]
    wrist = (rest + take.transl[1, row] - centre) @ turn
    rotations = take.rotations[1, row].copy()
    rotations[0] = turn.T @ rotations[0]
    return {
        "global_orient": rotations[:1],
        "hand_pose": rotations[1:],
        "betas": np.zeros(10),
        "is_right": np.array([1.0]),
        "cam_t": (wrist - rest) * [1, 1, virtual],
        "scaled_focal_length": np.array(virtual * take.intrinsics[0]),
        "img_size": np.array(take.size),
    }


def test_truth_is_seen_where_it_is(clip):
    """The fixture itself: its pictures are its projections."""
    local = (clip.truth.keypoints[3, 1] - clip.truth.world_from_camera[3, :3, 3]) @ clip.truth.world_from_camera[
        3, :3, :3
    ]
    assert np.allclose(project(local, clip.truth.intrinsics), clip.truth.keypoints_px[3, 1])
