"""The stage cache: gives back exactly what was stored for the same inputs, and never fails a solve."""

import numpy as np
import pytest

from solver.cache import StageCache
from solver.camera.cameras import CameraNote, CameraPath, ScaleEstimate
from solver.observations import HandTrack


def sample_track(seed=0):
    rng = np.random.default_rng(seed)
    return HandTrack(
        side="left",
        side_log_odds=-4.5,
        frames=np.arange(3),
        landmarks_px=rng.normal(size=(3, 21, 2)),
        covariance_px=rng.normal(size=(3, 21, 2, 2)),
        landmarks_m=np.full((3, 21, 3), np.nan),
        presence=np.ones(3),
    )


def test_same_inputs_give_the_same_tracks(tmp_path):
    cache = StageCache(tmp_path / "new folder")
    cache.store("hands", {"clip": "a"}, [sample_track(0), sample_track(1)])
    loaded = cache.load("hands", {"clip": "a"}, HandTrack)
    assert [track.side for track in loaded] == ["left", "left"]
    assert isinstance(loaded[0].side_log_odds, float)
    np.testing.assert_array_equal(loaded[1].landmarks_px, sample_track(1).landmarks_px)


def test_other_inputs_give_nothing(tmp_path):
    cache = StageCache(tmp_path)
    cache.store("hands", {"clip": "a"}, [sample_track()])
    assert cache.load("hands", {"clip": "b"}, HandTrack) is None
    assert cache.load("fit", {"clip": "a"}, HandTrack) is None


@pytest.mark.parametrize("damage", [b"", b"rubbish"])
def test_damaged_file_counts_as_absent(tmp_path, damage):
    cache = StageCache(tmp_path)
    cache.store("hands", {}, [sample_track()])
    next(tmp_path.glob("*.npz")).write_bytes(damage)
    assert cache.load("hands", {}, HandTrack) is None


def test_folder_that_is_a_file_costs_only_the_resumption(tmp_path):
    (tmp_path / "file").write_text("")
    cache = StageCache(tmp_path / "file")
    cache.store("hands", {}, [sample_track()])
    assert cache.load("hands", {}, HandTrack) is None


def test_no_folder_keeps_nothing():
    cache = StageCache(None)
    cache.store("hands", {}, [sample_track()])
    assert cache.load("hands", {}, HandTrack) is None


def test_a_camera_comes_back_with_its_notes_and_its_scale(tmp_path):
    rng = np.random.default_rng(0)
    path = CameraPath(
        "general",
        np.array([400.0, 400, 320, 180]),
        rng.normal(size=(5, 4, 4)),
        quality_px=np.array([0.3, np.nan, 0.2, 0.1, 0.4]),
        scale=ScaleEstimate(1.5, 0.9, 1.1, True, ("hands", "height")),
        notes=(CameraNote("a", "One.", "Do."), CameraNote("b", "Two.", "Be.")),
    )
    cache = StageCache(tmp_path)
    cache.store("camera", {}, [path])
    (kept,) = cache.load("camera", {}, CameraPath)
    assert (kept.kind, kept.scale, kept.notes) == (path.kind, path.scale, path.notes)
    assert kept.shots is None
    for name in ("world_from_camera", "quality_px", "points", "distortion"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(path, name))
