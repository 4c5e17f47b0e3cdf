"""Takes in and out: our own files, and files of other programs made here from known motion with their conventions."""

import io
import json
import pickle

import numpy as np
import pytest
import torch

from solver import hand_model
from solver import take as takes
from solver.camera.cameras import project
from solver.cli import main
from solver.errors import SolverError
from solver.formats import containers, convert, mano_parameters, peers
from solver.hand_model import rotations as so3
from solver.take import INFILLED, MISSING, OBSERVED

from .samples import sample_take

MODELS = hand_model.load_pair("open")
FLIP = np.diag([-1.0, 1.0, 1.0])
SIZE = (640, 360)


def world_keypoints(take):
    """(H, T, 21, 3), from the definition: the hand layer."""
    rows = enumerate(take.sides)
    return np.array(
        [MODELS[s].with_shape(take.betas[r]).pose(take.rotations[r], take.transl[r]).keypoints for r, s in rows]
    )


def moving_take():
    take = sample_take(frames=6)
    poses = np.tile(np.eye(4), (6, 1, 1))
    rng = np.random.default_rng(5)
    poses[:, :3, :3], poses[:, :3, 3] = so3.exp(rng.normal(0, 0.2, (6, 3))), rng.normal(0, 0.1, (6, 3))
    status = take.status.copy()
    status[0, 2], status[1, 4] = MISSING, INFILLED
    rotations, transl = take.rotations.copy(), take.transl.copy()
    rotations[0, 2], transl[0, 2] = np.nan, np.nan
    changes = {"world_from_camera": poses, "camera_kind": "given", "status": status}
    return takes.dataclasses.replace(take, **changes, rotations=rotations, transl=transl)


def assert_same_motion(got, want, status=None):
    status = want.status if status is None else status
    assert got.sides == want.sides
    np.testing.assert_array_equal(got.status, status)
    there = status != MISSING
    assert np.degrees(so3.angle_between(got.rotations[there], want.rotations[there])).max() < 0.01
    assert 1e3 * np.abs(got.transl[there] - want.transl[there]).max() < 0.01
    assert np.isnan(got.transl[~there]).all()
    np.testing.assert_allclose(got.world_from_camera, want.world_from_camera, atol=1e-9)


@pytest.mark.parametrize("form", convert.FORMATS)
def test_our_files_come_back(form, tmp_path):
    take = moving_take()
    convert.export(take, tmp_path / "out.npz", form, MODELS)
    result = peers.read(tmp_path / "out.npz")
    if form == "dyn-hamr":  # its files have no word for whose shape it is
        result = peers.Result(**{**vars(result), "model": "open"})
    back = convert.to_take(result, convert.Footage(size=take.size), MODELS)
    status = take.status if form == "dyn-hamr" else np.where(take.status == MISSING, MISSING, OBSERVED)
    assert_same_motion(back, take, status)
    np.testing.assert_allclose(back.betas, take.betas)
    np.testing.assert_allclose(back.intrinsics, take.intrinsics)


@pytest.mark.parametrize(("pca", "flat"), [(0, False), (45, True), (45, False)])
def test_mean_and_coefficients(pca, flat, tmp_path):
    take = moving_take()
    convert.export(take, tmp_path / "out.npz", "smplx", MODELS, pca_count=pca, flat_hand_mean=flat)
    back = convert.to_take(peers.read(tmp_path / "out.npz", MODELS), convert.Footage(), MODELS)
    assert_same_motion(back, take, np.where(take.status == MISSING, MISSING, OBSERVED))
    with pytest.raises(SolverError, match="hand model"):
        peers.read(tmp_path / "out.npz")


def test_exported_vectors_give_the_same_hand_in_smplx_terms(tmp_path):
    take = moving_take()
    convert.export(take, tmp_path / "out.npz", "smplx", MODELS)
    with np.load(tmp_path / "out.npz") as data:
        vectors = np.concatenate([data["right_global_orient"], data["right_hand_pose"]], axis=1).reshape(-1, 16, 3)
        posed = MODELS["right"].with_shape(data["right_betas"]).pose(so3.exp(vectors), data["right_transl"])
    np.testing.assert_allclose(posed.keypoints, world_keypoints(take)[1], atol=1e-9)


def test_dyn_hamr_flips_the_left_hand_after_trans(tmp_path):
    """As its run_mano does: the right hand's layer, trans added, then x negated."""
    take = moving_take()
    convert.export(take, tmp_path / "a_000300_world_results.npz", "dyn-hamr", MODELS)
    with np.load(tmp_path / "a_000300_world_results.npz") as data:
        vectors = np.concatenate([data["root_orient"][:, :, None], data["pose_body"]], axis=2)
        layer = MODELS["right"].with_shape(data["betas"][0])
        left = layer.pose(so3.exp(vectors[0]), data["trans"][0]).keypoints @ FLIP
        seen = (data["cam_R"][0] @ left[:, 9, :, None])[..., 0] + data["cam_t"][0]
    there = take.status[0] != MISSING
    np.testing.assert_allclose(left[there], world_keypoints(take)[0][there], atol=1e-9)
    expected = (
        np.linalg.inv(take.world_from_camera) @ np.append(world_keypoints(take)[0][:, 9], np.ones((6, 1)), 1)[..., None]
    )
    np.testing.assert_allclose(seen[there], expected[there, :3, 0], atol=1e-9)


def test_dyn_hamr_says_what_was_seen_in_its_track_info(tmp_path):
    take = sample_take(frames=4)
    convert.export(take, tmp_path / "x_world_results.npz", "dyn-hamr", MODELS)
    with np.load(tmp_path / "x_world_results.npz") as data:
        np.savez(tmp_path / "x_world_results.npz", **{key: data[key] for key in data if key != "vis_mask"})
    tracks = {"1": {"index": 1, "vis_mask": [1, 0, -1, 1]}, "0": {"index": 0, "vis_mask": [True] * 4}}
    (tmp_path / "track_info.json").write_text(json.dumps({"tracks": tracks}))
    status = peers.read(tmp_path).status
    assert status[0].tolist() == [OBSERVED] * 4
    assert status[1].tolist() == [OBSERVED, INFILLED, MISSING, OBSERVED]


def write_hawor(folder, take, as_torch):
    """``world_space_res.pth`` holds a list of tensors, left first; the camera's centre and quaternion x, y, z, w."""
    vectors = np.nan_to_num(so3.log(np.where(np.isnan(take.rotations), np.eye(3), take.rotations)))
    valid = take.status != MISSING
    betas = np.repeat(take.betas[:, None], len(take.frames), axis=1)
    parts = [np.nan_to_num(take.transl), vectors[:, :, 0], vectors[:, :, 1:].reshape(2, -1, 45), betas, valid]
    parts = [torch.from_numpy(part) for part in parts] if as_torch else parts
    (folder / "world_space_res.pth").write_bytes(pickle.dumps(parts))
    (folder / "SLAM").mkdir()
    quaternions = so3.quaternion_from_matrix(take.world_from_camera[:, :3, :3])[:, [1, 2, 3, 0]]
    traj = np.concatenate([take.world_from_camera[:, :3, 3] / 0.5, quaternions], axis=1)
    lens = {"img_focal": np.array(500.0), "img_center": np.array([320.0, 180.0]), "scale": np.array(0.5)}
    np.savez(folder / "SLAM" / "hawor_slam_w_scale_0_6.npz", traj=traj, tstamp=np.arange(6), **lens)


@pytest.mark.parametrize("as_torch", [False, True])
def test_hawor(as_torch, tmp_path):
    take = moving_take()
    write_hawor(tmp_path, take, as_torch)
    result = peers.read(tmp_path)
    assert result.program == "HaWoR"
    assert result.size == SIZE
    back = convert.to_take(peers.Result(**{**vars(result), "model": "open"}), convert.Footage(), MODELS)
    assert_same_motion(back, take, np.where(take.status == MISSING, MISSING, OBSERVED))


def hamer_records(take, focal):
    """One dictionary per hand and frame, as HaMeR's demo leaves them: left hands in the mirror, mesh then cam_t."""
    for frame in range(len(take.frames)):
        hands = []
        for row, side in enumerate(take.sides):
            if take.status[row, frame] == MISSING:
                continue
            turned = take.rotations[row, frame] if side == "right" else FLIP @ take.rotations[row, frame] @ FLIP
            posed = MODELS["right"].with_shape(take.betas[row]).pose(turned)
            hands.append(
                {
                    "is_right": float(side == "right"),
                    "pred_mano_params": {
                        "global_orient": turned[:1],
                        "hand_pose": turned[1:],
                        "betas": take.betas[row],
                    },
                    "pred_keypoints_3d": posed.keypoints,
                    "pred_cam_t_full": take.transl[row, frame] * [1, 1, focal / take.intrinsics[0]],
                    "scaled_focal_length": focal,
                    "img_size": np.array(take.size),
                }
            )
        yield hands


@pytest.mark.parametrize("kind", ["file of pickles a frame", "one file of torch's", "keypoints' shape"])
def test_hamer_with_the_clips_focal_length(kind, tmp_path):
    take = sample_take(frames=5)
    status = take.status.copy()
    status[0, 3] = MISSING
    take = takes.dataclasses.replace(take, status=status)
    records = list(hamer_records(take, focal=12500.0))
    path = tmp_path
    if kind == "one file of torch's":
        path = tmp_path / "all.pt"
        tensors = [
            [{k: torch.as_tensor(v) if isinstance(v, np.ndarray) else v for k, v in h.items()} for h in f]
            for f in records
        ]
        torch.save(tensors, path)
    else:
        for frame, hands in enumerate(records):
            (tmp_path / f"frame_{frame:05d}.pkl").write_bytes(pickle.dumps(hands))
    result = peers.read(path)
    assert result.focal_is_virtual
    if kind != "keypoints' shape":
        result = peers.Result(**{**vars(result), "model": "open", "keypoints": None})
    back = convert.to_take(result, convert.Footage(focal_px=500.0), MODELS)
    there = status != MISSING
    np.testing.assert_array_equal(back.status != MISSING, there)
    got, want = world_keypoints(back)[there], world_keypoints(take)[there]
    # a shape of another model is fitted to lengths, which say nothing about where bones point at rest
    allowed = 5.0 if kind == "keypoints' shape" else 0.01
    assert 1e3 * np.linalg.norm(got - got[:, :1] - want + want[:, :1], axis=-1).max() < allowed
    assert 1e3 * np.abs(got[:, 0] - want[:, 0]).max() < allowed


def test_wilor_mini_stores_true_left_hands(tmp_path):
    take = sample_take(frames=3)
    frames = []
    for frame in range(3):
        hands = []
        for row, side in enumerate(take.sides):
            vectors = so3.log(take.rotations[row, frame])
            preds = {
                "global_orient": vectors[None, :1],
                "hand_pose": vectors[None, 1:],
                "betas": take.betas[row][None],
                "pred_cam_t_full": take.transl[row, frame][None],
                "scaled_focal_length": 500.0,
            }
            hands.append({"hand_bbox": [0, 0, 9, 9], "is_right": float(side == "right"), "wilor_preds": preds})
        frames.append(hands)
    (tmp_path / "out.pkl").write_bytes(pickle.dumps(frames))
    result = peers.read(tmp_path / "out.pkl")
    assert result.program == "WiLoR"
    assert result.sides == take.sides
    assert np.degrees(so3.angle_between(result.rotations, take.rotations)).max() < 1e-4
    np.testing.assert_allclose(result.transl, take.transl)
    with pytest.raises(SolverError) as caught:
        convert.to_take(result, convert.Footage(), MODELS)
    assert caught.value.code == "result-no-lens"
    assert convert.to_take(result, convert.Footage(size=SIZE, focal_px=500.0), MODELS).size == SIZE


def test_crop_camera_becomes_the_pictures(tmp_path):
    """pred_cam is a weak perspective camera of the crop: a point at the hand's origin must fall where it says."""
    box_center, box_size, cam = np.array([400.0, 100.0]), 120.0, np.array([0.9, 0.1, -0.2])
    hand = {"right": 1, "global_orient": np.eye(3)[None], "hand_pose": np.tile(np.eye(3), (15, 1, 1)), "pred_cam": cam}
    hand |= {"box_center": box_center, "box_size": box_size, "img_size": np.array(SIZE), "betas": np.zeros(10)}
    (tmp_path / "frame7.pkl").write_bytes(pickle.dumps(hand))
    result = peers.read(tmp_path)
    x, y = project(result.transl[0, 0], result.intrinsics)
    np.testing.assert_allclose([x, y], box_center + cam[0] * cam[1:] * box_size / 2, rtol=1e-6)
    assert result.frames.tolist() == [7]


class Malicious:
    def __reduce__(self):
        return print, ("never",)


def test_nothing_in_a_file_runs(tmp_path, capsys):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([Malicious()]))
    torch.save({"a": Malicious()}, tmp_path / "b.pt")
    stream = io.BytesIO()
    np.save(stream, np.array([Malicious()], dtype=object), allow_pickle=True)
    (tmp_path / "c.npy").write_bytes(stream.getvalue())
    for name in ("a.pkl", "b.pt", "c.npy"):
        with pytest.raises(SolverError) as caught:
            containers.read(tmp_path / name)
        assert caught.value.code == "result-unsafe"
    assert capsys.readouterr().out == ""


def test_damaged_and_foreign_files_are_told_apart_in_words(tmp_path):
    for name, content in (
        ("a.npz", b"PK\x03\x04rubbish"),
        ("b.pkl", b""),
        ("c.json", b"{"),
        ("d.pth", b"\x80\x02."),
        ("e.npy", b"\x93NUMPY"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SolverError) as caught:
            peers.read(tmp_path / name)
        assert caught.value.code in ("result-not-readable", "result-unsafe")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "list.json").write_text("[1, 2]")
    for name in ("other.npz", "list.json"):
        with pytest.raises(SolverError) as caught:
            peers.read(tmp_path / name)
        assert caught.value.code == "result-incomplete"
    (tmp_path / "empty").mkdir()
    with pytest.raises(SolverError) as caught:
        peers.read(tmp_path / "empty")
    assert caught.value.code == "result-unknown"


def test_a_torch_storage_cannot_reach_outside():
    record = containers.inert_pickle.Record.__new__(containers.inert_pickle.Record)
    record.args = (containers._Storage(np.dtype("f4"), bytes(16)), 2, (3,), (1,))
    with pytest.raises(ValueError, match="outside"):
        containers._tensor(record)


def test_shape_keeps_bone_lengths():
    betas = np.random.default_rng(3).normal(0, 1, 10)
    wanted = convert.shape.lengths(MODELS["left"].with_shape(betas).keypoints_rest)
    fitted = convert.shape.fit(MODELS["left"], wanted)
    got = convert.shape.lengths(MODELS["left"].with_shape(fitted).keypoints_rest)
    assert 1e3 * np.abs(got - wanted).max() < 1.0


def test_commands(tmp_path):
    from solver.cli import main

    takes.save(moving_take(), tmp_path / "take.npz")
    out, back = str(tmp_path / "out.npz"), str(tmp_path / "back.npz")
    assert main(["export", str(tmp_path / "take.npz"), "-o", out]) == 0
    assert main(["import", out, "-o", back, "--frame-rate", "24"]) == 0
    assert takes.load(back).frame_rate == (24, 1)
    assert main(["import", str(tmp_path / "nothing.npz"), "-o", back]) == 1


def test_parameters_of_one_hand_without_prefix():
    content = {
        "side": "left",
        "global_orient": np.zeros((2, 3)),
        "hand_pose": np.zeros((2, 45)),
        "transl": np.ones((2, 3)),
    }
    assert mano_parameters.is_parameters(content)
    assert mano_parameters.result(content | {"betas": np.zeros((2, 10))}).sides == ("left",)


@pytest.mark.parametrize(
    "wrong",
    [
        ["export", "t.npz", "--pca", "-3"],
        ["export", "t.npz", "--pca", "46"],
        ["import", "p.npz", "--focal", "-1"],
        ["sample", "t.npz", "--count", "0"],
        ["sample", "t.npz", "--seed", "-1"],
    ],
)
def test_numbers_that_make_no_sense_write_nothing(wrong, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    takes.save(moving_take(), "t.npz")
    assert main(["export", "t.npz", "-o", "p.npz"]) == 0
    assert main([*wrong, "-o", "out.npz"]) == 1
    assert "option-not-valid" in capsys.readouterr().err
    assert not (tmp_path / "out.npz").exists()


def test_a_take_is_not_taken_for_a_result(tmp_path):
    takes.save(moving_take(), tmp_path / "t.npz")
    with pytest.raises(SolverError) as caught:
        peers.read(tmp_path / "t.npz", MODELS)
    assert caught.value.code == "result-is-take"
