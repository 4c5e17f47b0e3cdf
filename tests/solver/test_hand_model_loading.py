"""Loading: MANO's pickles in the layouts they occur in, hostile and damaged files, the left hand's known defect."""

from __future__ import annotations

import builtins
import importlib
import os
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from solver.errors import SolverError
from solver.hand_model import load, load_file, load_pair, loading, mano_pickle
from solver.hand_model.loading import OPEN_HAND_FOLDER

SIDES = ("left", "right")


def _arrays(side: str) -> dict[str, Any]:
    """What a MANO file of the open hand would hold, besides wrappers."""
    with np.load(OPEN_HAND_FOLDER / f"open_hand_{side}.npz") as data:
        stored = {key: data[key] for key in data.files}
    arrays = {key: array.astype(np.float64) for key, array in stored.items() if array.dtype == np.float32}
    return arrays | {
        "f": stored["f"],
        "kintree_table": stored["kintree_table"],
        "bs_style": "lbs",
        "bs_type": "lrotmin",
        "hands_coeffs": np.zeros((4, 45)),
    }


def _assert_loads_exactly(path: Path, side: str, arrays: dict[str, Any]) -> None:
    model = load_file(path, side)
    for key in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "hands_mean", "hands_components"):
        np.testing.assert_array_equal(getattr(model, key), arrays[key], err_msg=key)
    np.testing.assert_array_equal(model.faces, arrays["f"])
    assert len(model.sha256) == 64 and model.name == path.name


def _refusal(path: Path) -> SolverError:
    with pytest.raises(SolverError) as caught:
        load_file(path, "right")
    assert caught.value.sentence.endswith(".") and caught.value.repair.endswith(".")
    assert path.name in caught.value.sentence
    return caught.value


# --- pickles in MANO's layout -----------------------------------------------------------------------------------------


@pytest.fixture
def chumpy() -> Iterator[types.ModuleType]:
    """Stand-ins that pickle as chumpy's classes do: by module and name, state in ``__dict__``. Gone after the test."""
    modules = {name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")}
    classes = {"Ch": "chumpy.ch", "Select": "chumpy.reordering"}
    for name, module in classes.items():
        setattr(modules[module], name, type(name, (), {"__module__": module}))
    sys.modules.update(modules)
    yield modules["chumpy"]
    for name in modules:
        del sys.modules[name]


def _selected_shapedirs(shapedirs: np.ndarray) -> Any:
    """The released files hold 20 directions behind a view of the first ten."""
    full = np.concatenate([shapedirs, np.random.default_rng(0).normal(0, 1, shapedirs.shape)], axis=2)
    constant = sys.modules["chumpy.ch"].Ch()
    constant.__dict__.update(x=full, _dirty_vars={"x"}, _status="new")
    selected = sys.modules["chumpy.reordering"].Select()
    indices = np.arange(full.size).reshape(full.shape)[..., :10].ravel()
    selected.__dict__.update(a=constant, idxs=indices, preferred_shape=shapedirs.shape)
    return selected


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_chumpy_layout_loads_exactly_without_chumpy(tmp_path: Path, chumpy: types.ModuleType, protocol: int) -> None:
    arrays = _arrays("right")
    wrapped = arrays | {
        "shapedirs": _selected_shapedirs(arrays["shapedirs"]),
        "J_regressor": scipy.sparse.csc_matrix(arrays["J_regressor"]),
        "pose_training_info": {"subjects": {1, 2}},
    }
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps(wrapped, protocol=protocol))
    for name in ("chumpy", "chumpy.ch", "chumpy.reordering"):
        sys.modules[name] = None  # an attempt to import it fails from here on
    _assert_loads_exactly(path, "right", arrays)


def test_names_of_python_2_and_of_old_scipy_are_known(tmp_path: Path, chumpy: types.ModuleType) -> None:
    arrays = _arrays("right")
    wrapped = arrays | {
        "shapedirs": _selected_shapedirs(arrays["shapedirs"]),
        "J_regressor": scipy.sparse.csc_matrix(arrays["J_regressor"]),
    }
    content = pickle.dumps(wrapped, protocol=2)
    for new, old in (
        (b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"),
        (b"cscipy.sparse._csc\n", b"cscipy.sparse.csc\n"),
    ):
        assert new in content
        content = content.replace(new, old)
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(content)
    _assert_loads_exactly(path, "right", arrays)


@pytest.mark.parametrize("matrix", [scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, np.asarray])
def test_plain_pickles_load_exactly(tmp_path: Path, matrix: Any) -> None:
    arrays = _arrays("left")
    path = tmp_path / "hand_left.pkl"
    path.write_bytes(pickle.dumps(arrays | {"J_regressor": matrix(arrays["J_regressor"])}))
    _assert_loads_exactly(path, "left", arrays)


def test_npz_with_twenty_directions_loads_the_first_ten(tmp_path: Path) -> None:
    arrays = _arrays("right")
    path = tmp_path / "MANO_RIGHT.npz"
    np.savez(path, **(arrays | {"shapedirs": np.concatenate([arrays["shapedirs"]] * 2, axis=2)}))
    _assert_loads_exactly(path, "right", arrays)


# --- hostile files ----------------------------------------------------------------------------------------------------


class _Calls:
    """Pickles as a call of ``function`` with ``arguments``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


def _array_of_objects(content: Any) -> np.ndarray:
    array = np.empty(1, object)
    array[0] = content
    return array


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize(
    "hide",
    [
        lambda bomb: bomb,
        lambda bomb: {"v_template": bomb},
        lambda bomb: {"f": [({"deep": [bomb]},)]},
        lambda bomb: {"weights": _array_of_objects(bomb)},
    ],
    ids=["alone", "value", "nested", "in an array"],
)
@pytest.mark.parametrize("function", [os.system, builtins.eval, builtins.getattr, importlib.import_module, np.load])
def test_hostile_pickles_are_refused_and_do_nothing(tmp_path: Path, function: Any, hide: Any, protocol: int) -> None:
    flag = tmp_path / "executed"
    command = f"open({str(flag)!r}, 'w')" if function is builtins.eval else f"echo > '{flag}'"
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps(hide(_Calls(function, command)), protocol=protocol))
    error = _refusal(path)
    assert error.code == "hand-model-unsafe"
    assert not flag.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy\nload\n(S'x'\ntR.",  # a name inside a known module
        b"cchumpy.ch\neval\n(S'1'\ntR.",  # a foreign name under a known package
        b"cscipy.sparse\nload_npz\n(S'x'\ntR.",
        b"(S'echo'\nios\nsystem\n.",  # the old INST opcode
    ],
)
def test_hand_written_opcodes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(content)
    assert _refusal(path).code == "hand-model-unsafe"


def test_npz_with_pickled_objects_is_refused(tmp_path: Path) -> None:
    flag = tmp_path / "executed"
    bomb = _array_of_objects(_Calls(os.system, f"echo > '{flag}'"))
    path = tmp_path / "MANO_RIGHT.npz"
    np.savez(path, **(_arrays("right") | {"weights": bomb}))
    assert _refusal(path).code == "hand-model-damaged"
    assert not flag.exists()


# --- damaged, incomplete, missing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
@pytest.mark.parametrize("content", [b"", b"not a model", b"\x80\x02}q\x00(U", bytes(range(256)) * 40])
def test_damaged_files_say_so(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"MANO_RIGHT{suffix}"
    path.write_bytes(content)
    assert _refusal(path).code == "hand-model-damaged"


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_cut_off_files_say_so(tmp_path: Path, share: float, suffix: str) -> None:
    path = tmp_path / f"MANO_RIGHT{suffix}"
    if suffix == ".pkl":
        path.write_bytes(pickle.dumps(_arrays("right"), protocol=2))
    else:
        np.savez(path, **_arrays("right"))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert _refusal(path).code == "hand-model-damaged"


@pytest.mark.parametrize(
    "change",
    [
        {"weights": None},
        {"v_template": np.zeros((778, 2))},
        {"posedirs": np.zeros((778, 3, 207))},
        {"shapedirs": np.zeros((778, 3, 4))},
        {"shapedirs": np.full((778, 3, 10), np.nan)},
        {"f": np.full((1538, 3), 778)},
        {"kintree_table": np.zeros((2, 16), int)},
        {"kintree_table": np.zeros((2, 24), int)},
        {"hands_mean": "text"},
        {"J_regressor": [1, 2]},
    ],
    ids=lambda change: "-".join(change),
)
def test_other_layouts_say_what_differs(tmp_path: Path, change: dict[str, Any]) -> None:
    arrays = {key: value for key, value in (_arrays("right") | change).items() if value is not None}
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps(arrays))
    error = _refusal(path)
    assert error.code == "hand-model-layout"
    assert next(iter(change)).split("_")[0] in error.sentence or "faces" in error.sentence or "tree" in error.sentence


def test_other_pickles_are_no_models(tmp_path: Path) -> None:
    path = tmp_path / "MANO_RIGHT.pkl"
    for content in ([1, 2, 3], np.zeros(3), {"a": 1}, {1, 2}):
        path.write_bytes(pickle.dumps(content))
        assert _refusal(path).code == "hand-model-layout"


def test_random_damage_gives_an_error_and_nothing_worse(tmp_path: Path) -> None:
    """Forged states crash NumPy's own unpickling; a crash here would end the test run."""
    small = {key: np.zeros([min(n, 4) for n in np.shape(array)], array.dtype) for key, array in _arrays("right").items()
             if isinstance(array, np.ndarray)}  # fmt: skip
    small["J_regressor"] = scipy.sparse.csc_matrix(small["J_regressor"])
    content, rng = pickle.dumps(small, protocol=2), np.random.default_rng(0)
    for _ in range(400):
        damaged = bytearray(content)
        for position in rng.integers(len(content), size=rng.integers(1, 4)):
            damaged[position] = rng.integers(256)
        with pytest.raises(SolverError):
            mano_pickle.read(bytes(damaged), "MANO_RIGHT.pkl")


def test_missing_files_have_a_repair(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nowhere", tmp_path / "MANO_RIGHT.pkl", tmp_path / "手 model.pkl"):
        with pytest.raises(SolverError) as caught:
            load("right", source)
        assert caught.value.code == "hand-model-missing"
        assert caught.value.repair


def test_damaged_installation_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "OPEN_HAND_FOLDER", tmp_path)
    (tmp_path / "open_hand_left.npz").write_bytes(b"broken")
    for side, code in (("left", "hand-model-damaged"), ("right", "hand-model-missing")):
        with pytest.raises(SolverError) as caught:
            load(side, "open")
        assert caught.value.code == code
        assert "Reinstall" in caught.value.repair


def test_a_folder_in_place_of_the_file_is_not_readable(tmp_path: Path) -> None:
    (tmp_path / "MANO_RIGHT.pkl").mkdir()
    with pytest.raises(SolverError) as caught:
        load_file(tmp_path / "MANO_RIGHT.pkl", "right")
    assert caught.value.code == "hand-model-not-readable"


# --- choosing ---------------------------------------------------------------------------------------------------------


def _mano_folder(folder: Path, suffix: str = ".npz", **left_changes: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for side in SIDES:
        arrays = _arrays(side) | (left_changes if side == "left" else {})
        if suffix == ".npz":
            np.savez(folder / f"MANO_{side.upper()}.npz", **arrays)
        else:
            (folder / f"MANO_{side.upper()}.pkl").write_bytes(pickle.dumps(arrays, protocol=2))
    return folder


def test_auto_is_the_open_hand_until_a_folder_is_set(tmp_path: Path) -> None:
    assert load("left", "auto").name == "open"
    assert "Apache-2.0" in load("left", "auto").provenance
    folder = _mano_folder(tmp_path / "手 models")
    assert load("left", "auto", folder).name == "MANO_LEFT.npz"
    assert load("left", "open", folder).name == "open"
    with pytest.raises(SolverError):
        load("left", "auto", tmp_path / "nowhere")


@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
def test_one_file_stands_for_the_pair(tmp_path: Path, suffix: str) -> None:
    folder = _mano_folder(tmp_path / "models.v1", suffix)
    pair = load_pair(folder / f"MANO_RIGHT{suffix}")
    assert {side: model.name for side, model in pair.items()} == {
        "left": f"MANO_LEFT{suffix}",
        "right": f"MANO_RIGHT{suffix}",
    }
    assert load_pair(folder)["left"].sha256 == pair["left"].sha256
    assert load_pair(tmp_path / "models.v1")["right"].side == "right"


def test_left_hand_with_the_released_sign_defect_is_mended(tmp_path: Path) -> None:
    good = _arrays("left")["shapedirs"]
    folder = _mano_folder(tmp_path, shapedirs=good * np.array([-1.0, 1.0, 1.0])[:, None])
    np.testing.assert_array_equal(load("left", folder).shapedirs, good)
    np.testing.assert_array_equal(load("right", folder).shapedirs, _arrays("right")["shapedirs"])


def test_left_hand_without_the_defect_stays(tmp_path: Path) -> None:
    np.testing.assert_array_equal(load("left", _mano_folder(tmp_path)).shapedirs, _arrays("left")["shapedirs"])


def test_left_hand_needs_the_right_one_beside_it(tmp_path: Path) -> None:
    folder = _mano_folder(tmp_path)
    (folder / "MANO_RIGHT.npz").unlink()
    with pytest.raises(SolverError) as caught:
        load("left", folder)
    assert caught.value.code == "hand-model-missing" and "right" in caught.value.sentence
