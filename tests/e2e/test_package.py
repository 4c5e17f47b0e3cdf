"""The zips themselves: Blender accepts them, they are reproducible, and hold what they must and nothing else."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import pytest

from solver import __version__
from tools import extension_tool, package, targets, vendor
from tools.console import ROOT


@pytest.fixture(scope="module", params=targets.PYTHONS, ids=lambda python: python.tag)
def archive(request: pytest.FixtureRequest, archives: dict[str, Path]) -> Path:
    return archives[request.param.version]


def test_blender_accepts_it(archive: Path) -> None:
    extension_tool.validate(archive)


@pytest.mark.parametrize("target", targets.TARGETS, ids=lambda target: target.name)
def test_blender_accepts_every_targets_manifest(target: targets.Target, tmp_path: Path) -> None:
    path = tmp_path / "manifest-only.zip"
    package.write(path, dict(package.own_members(target)))
    extension_tool.validate(path)


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    target = targets.TARGETS[0]
    for name in ("first.zip", "second.zip"):
        package.write(tmp_path / name, dict(package.own_members(target)))
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_holds_the_extension_and_the_solvers_libraries_alone(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        names = file.namelist()
    own = {
        "__init__.py",
        "blender_manifest.toml",
        "LICENSE",
        "NOTICE",
        "README.md",
        "addon",
        "operators",
        "ui",
        "solver",
    }
    assert {name.split("/")[0] for name in names} == own | {vendor.VENDOR, vendor.LICENCES}
    libraries = {name.split("/")[1].removesuffix(".libs") for name in names if name.startswith(f"{vendor.VENDOR}/")}
    assert libraries <= {
        "PYTHON",
        "numpy",
        "scipy",
        "cv2",
        "opencv_python_headless",
        "av",
        "ai_edge_litert",
        "pycolmap",
    }
    assert not [name for name in names if "/tests/" in name or "__pycache__" in name]


def test_holds_data_and_licences(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        names = set(file.namelist())
    data = {"palm_detection_full.tflite", "hand_landmark_full.tflite", "open_hand_left.npz", "open_hand_right.npz"}
    assert {f"solver/data/{name}" for name in data} <= names
    assert {"LICENSE", "NOTICE"} <= names
    vendored = {"numpy", "scipy", "opencv-python-headless", "ai-edge-litert", "av", "pycolmap"}
    assert {name.split("/")[1] for name in names if name.startswith(f"{vendor.LICENCES}/")} == vendored


def test_one_version_everywhere() -> None:
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert manifest["version"] == project["version"] == __version__


def test_asks_for_files_and_nothing_else() -> None:
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert list(manifest["permissions"]) == ["files"]
    assert "wheels" not in manifest


@pytest.mark.parametrize(
    ("project", "member", "place"),
    [
        ("numpy", "numpy/linalg/linalg.py", "vendor/numpy/linalg/linalg.py"),
        ("numpy", "numpy.libs/libscipy_openblas.so", "vendor/numpy.libs/libscipy_openblas.so"),
        ("numpy", "numpy/linalg/tests/test_linalg.py", ""),
        ("numpy", "numpy-2.4.6.dist-info/licenses/LICENSE.txt", "licences/numpy/LICENSE.txt"),
        ("numpy", "numpy-2.4.6.dist-info/RECORD", ""),
        ("some-project", "some_project-1.0.data/purelib/some/module.py", "vendor/some/module.py"),
        ("some-project", "some_project-1.0.data/scripts/some.exe", ""),
        ("ai-edge-litert", "ai_edge_litert/libLiteRtWebGpuAccelerator.dll", ""),
        ("ai-edge-litert", "ai_edge_litert/libLiteRt.dll", "vendor/ai_edge_litert/libLiteRt.dll"),
        ("msvc-runtime", "msvc_runtime-14.44.data/data/msvcp140.dll", "vendor/ai_edge_litert/msvcp140.dll"),
        ("msvc-runtime", "msvc_runtime-14.44.data/data/Scripts/msvcp140.dll", ""),
        ("msvc-runtime", "msvc_runtime.cp311-win_amd64.pyd", ""),
    ],
)
def test_what_of_a_wheel_goes_where(project: str, member: str, place: str) -> None:
    assert vendor.destination(project, member) == place
