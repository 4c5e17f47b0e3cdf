"""A camera solved elsewhere: taken as it is, or refused in words."""

import numpy as np
import pytest

from solver.camera import given
from solver.errors import SolverError

FRAMES = np.array([3, 1, 2])
SIZE = (640, 360)


def write(path, **changes):
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 0, 3] = FRAMES
    arrays = {"frames": FRAMES, "world_from_camera": poses, "intrinsics": np.array([500.0, 500, 320, 180])}
    np.savez(path, **{**arrays, **changes})
    return path


def test_poses_follow_the_frame_numbers(tmp_path):
    camera, is_metric = given.read(write(tmp_path / "c.npz"), np.array([2, 3]), SIZE)
    assert camera.kind == "given" and is_metric
    np.testing.assert_array_equal(camera.world_from_camera[:, 0, 3], [2, 3])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"frames": np.array([1, 2, 2.5])}, "camera-too-short"),
        ({"intrinsics": np.zeros(4)}, "camera-damaged"),
        ({"distortion": np.zeros(4)}, "camera-damaged"),
        ({"distortion_model": np.array("FISHEYE")}, "camera-damaged"),
        ({"world_from_camera": np.full((3, 4, 4), np.nan)}, "camera-damaged"),
        ({"world_from_camera": np.tile(2 * np.eye(4), (3, 1, 1))}, "camera-not-rigid"),
        ({"world_from_camera": np.tile(np.diag([1.0, 1, -1, 1]), (3, 1, 1))}, "camera-not-rigid"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, changes, code):
    with pytest.raises(SolverError) as caught:
        given.read(write(tmp_path / "c.npz", **changes), np.array([1, 2, 3]), SIZE)
    assert caught.value.code == code


def test_a_file_that_is_no_camera(tmp_path):
    (tmp_path / "c.npz").write_text("no")
    with pytest.raises(SolverError) as caught:
        given.read(tmp_path / "c.npz", FRAMES, SIZE)
    assert caught.value.code == "camera-not-readable"
