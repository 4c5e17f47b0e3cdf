"""Takes on disk: exact, atomic, never unpickled, and clear about what is wrong with a bad one."""

import dataclasses
import json
import pickle

import numpy as np
import pytest

from solver import take as takes
from solver.errors import SolverError
from tests.solver.samples import sample_take


def test_round_trip_is_exact(tmp_path):
    take = sample_take()
    path = tmp_path / "手 and spaces" / "take.npz"
    takes.save(take, path)
    loaded = takes.load(path)
    for field in dataclasses.fields(take):
        expected, actual = getattr(take, field.name), getattr(loaded, field.name)
        if isinstance(expected, np.ndarray):
            np.testing.assert_array_equal(actual, expected)
        else:
            assert actual == expected, field.name


def test_how_sure_the_camera_is_travels_with_it(tmp_path):
    scale = {"metres_per_unit": 0.1, "low": 0.8, "high": 1.3, "determined": True, "cues": ["still hands"]}
    sigma = np.full((len(sample_take().frames), 2), 0.01)
    take = dataclasses.replace(
        sample_take(),
        camera_sigma=sigma,
        camera_step_sigma=2 * sigma,
        camera_scale=scale,
        focal_sigma=0.02,
        up_sigma=0.01,
    )
    takes.save(take, tmp_path / "t.npz")
    loaded = takes.load(tmp_path / "t.npz")
    np.testing.assert_array_equal(loaded.camera_sigma, sigma)
    np.testing.assert_array_equal(loaded.camera().pose_sigma, 2 * sigma)
    assert (loaded.camera().scale.high, loaded.camera().scale.cues) == (1.3, ("still hands",))
    assert (loaded.camera_scale, loaded.focal_sigma, loaded.up_sigma) == (scale, 0.02, 0.01)


def test_a_take_from_before_the_camera_said_how_sure_it_is_loads(tmp_path):
    path = tmp_path / "t.npz"
    takes.save(sample_take(), path)
    with np.load(path) as data:
        old = {name: data[name] for name in data if name not in ("camera_sigma", "camera_step_sigma")}
    header = json.loads(str(old["header"]))
    for name in ("camera_scale", "focal_sigma", "up_sigma"):
        del header[name]
    np.savez(path, **{**old, "header": np.array(json.dumps(header))})
    loaded = takes.load(path)
    assert loaded.camera_sigma.shape == (0, 2) and loaded.camera_scale is None


def test_no_hands_is_a_take_too(tmp_path):
    take = sample_take(hands=0)
    takes.save(take, tmp_path / "t.npz")
    assert takes.load(tmp_path / "t.npz").coverage().shape == (0,)


def test_coverage_counts_missing_frames():
    take = sample_take(frames=4, hands=1)
    take.status[0, 1] = takes.MISSING
    assert take.coverage() == pytest.approx([0.75])


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="betas"):
        dataclasses.replace(sample_take(), betas=np.zeros((1, 9)))


@pytest.mark.parametrize("content", [b"", b"text, not a take", pickle.dumps({"a": 1}), b"PK\x03\x04 cut off"])
def test_damaged_files_say_so(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(SolverError) as caught:
        takes.load(path)
    assert caught.value.code == "take-not-readable"
    assert caught.value.repair


def test_missing_array_says_so(tmp_path):
    path = tmp_path / "t.npz"
    takes.save(sample_take(), path)
    with np.load(path) as data:
        rest = {name: data[name] for name in data if name != "transl"}
    np.savez(path, **rest)
    with pytest.raises(SolverError, match="damaged"):
        takes.load(path)


def test_a_take_of_the_first_days_loads(tmp_path):
    path, lacking = tmp_path / "t.npz", ("camera_status", "camera_error_px", "points", "joint_sigma", "distance_sigma")
    takes.save(sample_take(), path)
    with np.load(path) as data:
        rest = {name: data[name] for name in data if name not in lacking}
    np.savez(path, **rest)
    loaded = takes.load(path)
    assert np.array_equal(loaded.transl, sample_take().transl, equal_nan=True)
    assert np.isnan(loaded.camera_error_px).all() and np.isnan(loaded.joint_sigma).all() and not len(loaded.points)


def test_newer_version_asks_for_an_update(tmp_path, monkeypatch):
    monkeypatch.setattr(takes, "VERSION", takes.VERSION + 1)
    takes.save(sample_take(), tmp_path / "t.npz")
    monkeypatch.undo()
    with pytest.raises(SolverError) as caught:
        takes.load(tmp_path / "t.npz")
    assert caught.value.code == "take-too-new"


def test_a_folder_in_a_takes_place_is_found_before_the_solve(tmp_path):
    with pytest.raises(SolverError) as caught:
        takes.check_writable(tmp_path)
    assert caught.value.code == "take-not-writable"


def test_failed_write_keeps_the_old_take(tmp_path, monkeypatch):
    path = tmp_path / "t.npz"
    takes.save(sample_take(), path)
    before = path.read_bytes()

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(SolverError) as caught:
        takes.save(sample_take(), path)
    assert caught.value.code == "take-not-writable"
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.npz"]
