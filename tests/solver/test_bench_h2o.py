"""The H2O loader on a made-up sequence in the data set's own layout."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from solver.bench import clips, h2o
from solver.bench.truth import OUTSIDE, VISIBLE


@pytest.fixture
def camera(tmp_path):
    """Four frames; the camera moves to the right, the left hand is not annotated in the last one."""
    folder = tmp_path / "subject4" / "h1" / "0" / "cam4"
    for name in ("rgb", "cam_pose", "hand_pose"):
        (folder / name).mkdir(parents=True)
    (folder / "cam_intrinsics.txt").write_text("600 600 639.5 359.5 1280 720")
    joints = np.zeros((2, 21, 3))
    joints[0, :, 0], joints[1, :, 0] = -0.1, 0.1
    joints[:, :, 1] = np.linspace(0, -0.15, 21)
    joints[..., 2] = 0.5
    for n in range(4):
        pose = np.eye(4)
        pose[0, 3] = 0.1 * n
        np.savetxt(folder / "cam_pose" / f"{n:06d}.txt", pose.reshape(1, 16))
        row = np.concatenate([[float(n < 3)], joints[0].ravel(), [1.0], joints[1].ravel()])
        np.savetxt(folder / "hand_pose" / f"{n:06d}.txt", row[None])
        cv2.imwrite(str(folder / "rgb" / f"{n:06d}.png"), np.zeros((72, 128, 3), np.uint8))
    return folder


def test_sequence_becomes_a_clip(camera, tmp_path):
    h2o.convert(camera, tmp_path / "clips" / "h2o", first=1)
    (folder,) = clips.find(tmp_path / "clips")
    clip = clips.load(folder)
    assert clip.source == (camera / "rgb").resolve()
    assert "h1/0/cam4" in clip.about
    assert clip.arguments == ("--frame-rate", "30", "--frames", "1", "3")
    truth = clip.truth
    assert truth.frames.tolist() == [1, 2, 3]
    assert truth.size == (1280, 720)
    assert np.allclose(truth.keypoints[:2, :, 0, 0], [[0.0, 0.2], [0.1, 0.3]])
    assert np.allclose(truth.keypoints_px[0, 1, 0], [760, 360])
    assert (truth.visibility[:2] == VISIBLE).all()
    assert (truth.visibility[2, 0] == OUTSIDE).all()
    assert truth.present().tolist() == [[True, True], [True, True], [False, True]]


def test_camera_is_handed_over_as_the_solver_takes_it(camera, tmp_path):
    h2o.convert(camera, tmp_path / "h2o")
    clip = clips.load(tmp_path / "h2o")
    arguments = clips.MODES["camera-hand"].arguments(clip)
    assert arguments[0::2] == ("--camera", "--hand-length")
    with np.load(arguments[1]) as given:
        assert given["world_from_camera"].shape == (4, 4, 4)
        assert np.allclose(given["intrinsics"], [600, 600, 640, 360])
    assert json.loads((tmp_path / "h2o" / "source.json").read_text())["source"].endswith("rgb")


def test_hand_length_is_along_the_stretched_finger(camera, tmp_path):
    h2o.convert(camera, tmp_path / "h2o")
    truth = clips.load(tmp_path / "h2o").truth
    expected = np.linspace(0, 0.15, 21)[12]
    assert truth.hand_length() == pytest.approx(expected)
