"""The loaders of HOT3D-Clips and ARCTIC, on made-up recordings in the data sets' own layouts.

The open hand stands in for MANO: its files have MANO's layout. Each recording shows a white dot at a fingertip, so that
the straightened pictures can be checked against the truth that is written beside them.
"""

from __future__ import annotations

import io
import json
import tarfile

import cv2
import numpy as np
import pytest

from solver.bench import arctic, clips, hot3d
from solver.bench.truth import OUTSIDE
from solver.errors import SolverError
from solver.hand_model import loading
from solver.hand_model.rotations import exp, quaternion_from_matrix

COUNT = 4
MODELS = loading.load_pair("open")
FISHEYE = [180.0, 179.5, 240.5, 0.02, -0.01, 0.004, -0.001, 0.0, 0.0, 1e-3, -5e-4, 2e-4, 0.0, -1e-4, 0.0]
SIZE = (480, 360)


def _cameras() -> np.ndarray:
    """(T, 4, 4) world from camera: it travels and turns a little."""
    t = np.linspace(0, 0.1, COUNT)
    poses = np.tile(np.eye(4), (COUNT, 1, 1))
    poses[:, :3, :3] = exp(np.stack([0.2 * t, t, 0.1 * t], axis=1))
    poses[:, :3, 3] = np.stack([t, 0.1 + 0 * t, 0.05 * t], axis=1)
    return poses


def _hand(side: str, betas: np.ndarray, vectors: np.ndarray, transl: np.ndarray) -> np.ndarray:
    """(T, 21, 3) from the definition."""
    posed = MODELS[side].with_shape(betas).pose(exp(vectors), transl)
    nodes = np.concatenate([posed.joints, posed.vertices()[:, [744, 320, 443, 554, 671]]], axis=1)
    return nodes[:, [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]]


def _dot(size: tuple[int, int], at: np.ndarray) -> np.ndarray:
    """A picture with a soft white dot; ``at`` px, pixel centres at half-integers."""
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    spot = 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 3.0**2))
    return np.repeat(spot[..., None], 3, axis=2).astype(np.uint8)


def _centre(image: np.ndarray) -> np.ndarray:
    """Centre of gravity of what is bright."""
    weight = np.maximum(image[..., 0].astype(float) - 40, 0)
    x, y = np.meshgrid(np.arange(image.shape[1]) + 0.5, np.arange(image.shape[0]) + 0.5)
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def _transform(pose: np.ndarray) -> dict:
    return {
        "quaternion_wxyz": quaternion_from_matrix(pose[:3, :3]).tolist(),
        "translation_xyz": pose[:3, 3].tolist(),
    }


@pytest.fixture(scope="module")
def hot3d_clip(tmp_path_factory):
    """Aria: its colour camera lies on its side. The left hand is not annotated in the last frame."""
    rng = np.random.default_rng(0)
    poses, betas = _cameras(), rng.normal(size=10) * 0.5
    wrist = {"left": np.array([0.1, 0.2, -1.4]), "right": np.array([-0.2, 0.1, -1.6])}
    transl = {"left": np.array([-0.15, 0.02, 0.45]), "right": np.array([-0.05, 0.12, 0.5])}
    thetas = rng.normal(size=(2, 15)) * 0.3
    truth = {}
    for k, side in enumerate(("left", "right")):
        fingers = MODELS[side].hands_mean + thetas[k] @ MODELS[side].hands_components[:15]
        vectors = np.concatenate([wrist[side], fingers]).reshape(1, 16, 3)
        truth[side] = _hand(side, betas, np.repeat(vectors, COUNT, 0), np.repeat(transl[side][None], COUNT, 0))
    path = tmp_path_factory.mktemp("hot3d") / "clip-001849.tar"
    with tarfile.open(path, "w") as tar:
        _add(tar, "__hand_shapes.json__", json.dumps({"mano": betas.tolist(), "umetrack": {}}).encode())
        for n in range(COUNT):
            calibration = {"image_width": SIZE[0], "image_height": SIZE[1], "projection_params": FISHEYE}
            cameras = {"214-1": {"calibration": calibration, "T_world_from_camera": _transform(poses[n])}}
            hands = {
                side: {"mano_pose": {"thetas": thetas[k].tolist(), "wrist_xform": [*wrist[side], *transl[side]]}}
                for k, side in enumerate(("left", "right"))
                if side == "right" or n < COUNT - 1
            }
            tip = (truth["right"][n, 8] - poses[n, :3, 3]) @ poses[n, :3, :3]
            image = _dot(SIZE, hot3d.fisheye624(tip, np.array(FISHEYE)))
            _add(tar, f"{n:06d}.cameras.json", json.dumps(cameras).encode())
            _add(tar, f"{n:06d}.hands.json", json.dumps(hands).encode())
            _add(tar, f"{n:06d}.image_214-1.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    out = tmp_path_factory.mktemp("clips") / "hot3d"
    hot3d.convert(path, out, MODELS, degrees=100.0)
    return path, clips.load(out), truth, poses


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def test_hot3d_hands_stand_where_they_were(hot3d_clip):
    _, clip, truth, _ = hot3d_clip
    assert clip.truth.frames.tolist() == [0, 1, 2, 3]
    assert clip.truth.frame_rate == 30
    assert np.allclose(clip.truth.keypoints[:, 1], truth["right"], atol=1e-9)
    assert np.allclose(clip.truth.keypoints[:3, 0], truth["left"][:3], atol=1e-9)
    assert (clip.truth.visibility[3, 0] == OUTSIDE).all()
    assert clip.truth.vertices.shape == (COUNT, 2, 778, 3)


def test_hot3d_pictures_are_upright_and_agree_with_their_truth(hot3d_clip):
    _, clip, _, poses = hot3d_clip
    assert clip.truth.size == (SIZE[1], SIZE[0])
    down = clip.truth.world_from_camera[0, :3, 1]  # the right of the picture that lies on its side
    assert np.allclose(down, poses[0, :3, 0])
    for n in range(COUNT):
        image = cv2.imread(str(clip.source / f"{n:06d}.jpg"))
        assert np.allclose(_centre(image), clip.truth.keypoints_px[n, 1, 8], atol=0.4)


def test_hot3d_clip_without_hands_is_refused(hot3d_clip, tmp_path):
    path, *_ = hot3d_clip
    with pytest.raises(SolverError, match="1201-1"):
        hot3d.convert(path, tmp_path / "out", MODELS, stream="1201-1")


def test_fisheye_lens_has_its_axis_at_its_centre_and_its_angle_as_radius():
    plain = np.array([100.0, 50, 40, *[0.0] * 12])
    assert np.allclose(hot3d.fisheye624(np.array([0.0, 0, 2]), plain), [50.5, 40.5])
    assert np.allclose(hot3d.fisheye624(np.array([1.0, 0, 1]), plain), [50.5 + 100 * np.pi / 4, 40.5])


OFFSET = 2
MATRIX = np.array([[300.0, 0, 239.5], [0, 300, 179.5], [0, 0, 1]])
DIST8 = np.array([-0.2, 0.05, 1e-3, -1e-3, 0.0, 0.01, 0.0, 0.0])


@pytest.fixture(scope="module")
def arctic_data(tmp_path_factory):
    """24 frames of motion, of which the first and last ten count as black; images n show frame n - 2."""
    data, count = tmp_path_factory.mktemp("arctic") / "data", 24
    rng = np.random.default_rng(1)
    poses = np.repeat(_cameras(), count // COUNT, axis=0)
    mano, truth = {}, {}
    for side, x in (("left", -0.15), ("right", 0.05)):
        mano[side] = {
            "rot": np.tile([0.1, -0.2, 1.3], (count, 1)), "pose": rng.normal(size=(count, 45)) * 0.2,
            "trans": np.tile([x, 0.05, 0.5], (count, 1)), "shape": rng.normal(size=10) * 0.5,
            "fitting_err": np.zeros(count),
        }  # fmt: skip
        vectors = np.concatenate([mano[side]["rot"], mano[side]["pose"] + MODELS[side].hands_mean], axis=1)
        truth[side] = _hand(side, mano[side]["shape"], vectors.reshape(-1, 16, 3), mano[side]["trans"])
    turn = np.swapaxes(poses[:, :3, :3], 1, 2)
    ego = {
        "R_k_cam_np": turn, "T_k_cam_np": -turn @ poses[:, :3, 3:], "intrinsics": MATRIX, "dist8": DIST8,
    }  # fmt: skip
    for folder in ("raw_seqs/s01", "meta", "images/s01/box_grab_01/0", "images/s01/box_grab_01/3"):
        (data / folder).mkdir(parents=True)
    np.save(data / "raw_seqs/s01/box_grab_01.mano.npy", mano, allow_pickle=True)
    np.save(data / "raw_seqs/s01/box_grab_01.egocam.dist.npy", ego, allow_pickle=True)
    standing = np.tile(np.eye(4), (8, 1, 1))
    standing[2, :3, 3] = [0.0, 0.0, 0.3]
    misc = {
        "s01": {"ioi_offset": OFFSET, "world2cam": standing.tolist(), "intris_mat": np.tile(MATRIX, (8, 1, 1)).tolist()}
    }
    (data / "meta" / "misc.json").write_text(json.dumps(misc))
    for frame in range(8, 16):
        tip = turn[frame] @ (truth["right"][frame, 8] - poses[frame, :3, 3])
        at = cv2.projectPoints(tip[None], np.zeros(3), np.zeros(3), MATRIX, DIST8)[0].ravel() + 0.5
        cv2.imwrite(str(data / f"images/s01/box_grab_01/0/{frame + OFFSET:05d}.jpg"), _dot(SIZE, at))
        cv2.imwrite(str(data / f"images/s01/box_grab_01/3/{frame + OFFSET:05d}.jpg"), np.zeros((360, 480, 3), np.uint8))
    return data, truth, poses


def test_arctic_pictures_are_straight_and_belong_to_their_frames(arctic_data, tmp_path):
    data, truth, poses = arctic_data
    arctic.convert(data, "s01/box_grab_01", tmp_path / "arctic", MODELS)
    clip = clips.load(tmp_path / "arctic")
    assert clip.truth.frames.tolist() == [12, 13, 14, 15]  # frames 10 to 13: what is black is left out
    assert np.allclose(clip.truth.keypoints[:, 1], truth["right"][10:14], atol=1e-6)
    assert np.allclose(clip.truth.keypoints[:, 0], truth["left"][10:14], atol=1e-6)
    assert np.allclose(clip.truth.world_from_camera, poses[10:14])
    for row, number in enumerate(clip.truth.frames):
        image = cv2.imread(str(clip.source / f"{number:05d}.jpg"))
        assert np.allclose(_centre(image), clip.truth.keypoints_px[row, 1, 8], atol=0.4)


def test_arctic_standing_camera_keeps_its_images(arctic_data, tmp_path):
    data, *_ = arctic_data
    arctic.convert(data, "s01/box_grab_01", tmp_path / "arctic", MODELS, view=3, first=13, last=14)
    clip = clips.load(tmp_path / "arctic")
    assert clip.source == (data / "images/s01/box_grab_01/3").resolve()
    assert clip.truth.frames.tolist() == [13, 14]
    assert np.allclose(clip.truth.world_from_camera[:, :3, 3], [0, 0, -0.3])
    assert np.allclose(clip.truth.intrinsics, [300, 300, 240, 180])
    with pytest.raises(SolverError, match="view 5"):
        arctic.convert(data, "s01/box_grab_01", tmp_path / "none", MODELS, view=5)
