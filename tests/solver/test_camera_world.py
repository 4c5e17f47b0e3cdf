"""A world that a person has set: the next path stands in it, and has its size where that was measured."""

import numpy as np
import pytest

from solver.camera.cameras import CameraNote, CameraPath, ScaleEstimate
from solver.camera.formats import KnownCamera, LensPart
from solver.camera.similarity import Similarity
from solver.camera.world import brought_into
from solver.hand_model import rotations as so3

FRAMES = np.arange(101, 141)
LENS = LensPart(np.array([500.0, 500, 320, 180]), (640, 360))
RNG = np.random.default_rng(8)


def wandering():
    count, step = len(FRAMES), 0.02
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = so3.exp(np.cumsum(RNG.normal(size=(count, 3)) * 0.05, axis=0))
    poses[:, :3, 3] = np.cumsum(RNG.normal(size=(count, 3)) * step, axis=0)
    return poses


def solved(poses, **changes):
    """The same path in a world of the solver's own: turned, moved, three times as large."""
    own = Similarity(3.0, so3.exp(np.array([0.4, -0.3, 1.0])), np.array([1.0, 2.0, -1.0]))
    points = RNG.normal(size=(5, 3))
    scale = ScaleEstimate(0.8, 0.6, 1.7, False, ("guess",))
    notes = (
        CameraNote("camera-scale-undetermined", "a", "b"),
        CameraNote("camera-interpolated", "c", "d"),
        CameraNote("camera-up-guessed", "e", "f"),
    )
    fields = {"points": own.points(points), "scale": scale, "notes": notes, "pose_sigma": np.ones((len(poses), 2))}
    return CameraPath("general", LENS.intrinsics, own.poses(poses), **{**fields, **changes}), points


def wanted(poses, frames=FRAMES):
    return KnownCamera(frames.astype(float), poses, LENS)


def test_a_measured_world_is_kept_exactly():
    poses = wandering()
    path, points = solved(poses)
    found = brought_into(path, FRAMES, wanted(poses), keep_size=True)
    np.testing.assert_allclose(found.world_from_camera, poses, atol=1e-9)
    np.testing.assert_allclose(found.points, points, atol=1e-9)
    assert (found.scale.low, found.scale.high, found.scale.determined) == (1.0, 1.0, True)
    assert found.scale.metres_per_unit == pytest.approx(0.8 / 3)
    assert [note.code for note in found.notes] == ["camera-interpolated"]
    np.testing.assert_allclose(found.pose_sigma, np.tile([1.0, 1 / 3], (len(FRAMES), 1)))


def test_a_placed_world_keeps_the_solves_own_size():
    poses = wandering()
    path, _ = solved(poses)
    found = brought_into(path, FRAMES, wanted(poses), keep_size=False)
    np.testing.assert_allclose(found.world_from_camera[0], poses[0], atol=1e-9)
    steps = np.diff(found.world_from_camera[:, :3, 3], axis=0)
    np.testing.assert_allclose(steps, 3 * np.diff(poses[:, :3, 3], axis=0), atol=1e-9)
    assert found.scale.metres_per_unit == 0.8 and len(found.notes) == 2


def test_a_stretch_that_was_lost_before_does_not_spoil_the_rest():
    poses = wandering()
    path, _ = solved(poses)
    torn = poses.copy()
    torn[25:32, :3, 3] += [0.5, 0.0, 0.3]
    found = brought_into(path, FRAMES, wanted(torn), keep_size=True)
    np.testing.assert_allclose(found.world_from_camera, poses, atol=1e-6)


def test_only_frames_that_both_have_count_and_without_any_nothing_changes():
    poses = wandering()
    path, _ = solved(poses)
    found = brought_into(path, FRAMES, wanted(poses[10:30], FRAMES[10:30]), keep_size=True)
    np.testing.assert_allclose(found.world_from_camera, poses, atol=1e-9)
    same = brought_into(path, FRAMES, wanted(poses, FRAMES + 1000), keep_size=False)
    np.testing.assert_array_equal(same.world_from_camera, path.world_from_camera)


def test_a_camera_that_stands_is_moved_and_turned():
    still = np.tile(np.eye(4), (len(FRAMES), 1, 1))
    target = still.copy()
    target[:, :3, :3], target[:, :3, 3] = so3.exp(np.array([0.1, 0.5, 0.2])), [3.0, 2.0, 1.0]
    found = brought_into(CameraPath("static", LENS.intrinsics, still), FRAMES, wanted(target), keep_size=True)
    np.testing.assert_allclose(found.world_from_camera, target, atol=1e-12)


def test_each_shot_by_itself():
    poses = wandering()
    path, _ = solved(poses, shots=np.array([[0, 19], [20, 39]]))
    other = Similarity(1.0, so3.exp(np.array([0.0, 0.7, 0.0])), np.array([9.0, 0, 0]))
    target = np.concatenate([poses[:20], other.poses(poses[20:])])
    found = brought_into(path, FRAMES, wanted(target), keep_size=True)
    np.testing.assert_allclose(found.world_from_camera, target, atol=1e-9)
