"""COLMAP's models, text and binary: ``cameras``, ``images`` and, if it is there, ``points3D``.

COLMAP's world and cameras have the solver's axes, up to a turn that nobody knows, and units of their own. Formats and
camera models: COLMAP's documentation, "Output format" and ``sensor/models.h``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import SolverError
from ...hand_model.rotations import matrix_from_quaternion, quaternion_from_matrix
from .known import KnownCamera, LensPart

NAMES = {f"{name}.{suffix}" for name in ("cameras", "images", "points3D") for suffix in ("txt", "bin")}
# (name, number of parameters), in the order of their ids in binary files
_MODELS = (
    ("SIMPLE_PINHOLE", 3), ("PINHOLE", 4), ("SIMPLE_RADIAL", 4), ("RADIAL", 5), ("OPENCV", 8), ("OPENCV_FISHEYE", 8),
    ("FULL_OPENCV", 12), ("FOV", 5), ("SIMPLE_RADIAL_FISHEYE", 4), ("RADIAL_FISHEYE", 5), ("THIN_PRISM_FISHEYE", 12),
    ("RAD_TAN_THIN_PRISM_FISHEYE", 16),
)  # fmt: skip
_SUBFOLDERS = (".", "0", "sparse/0", "sparse")
_NUMBER = re.compile(r"\d+(?=\D*$)")
_SAME_LENS = 1e-3
REPAIR = "Choose the folder with COLMAP's cameras and images files, or export the model again."


@dataclass(frozen=True)
class _Image:
    name: str
    camera: int
    quaternion: tuple[float, ...]
    translation: tuple[float, ...]


def read(path: Path) -> KnownCamera:
    """A model from its folder, or from the folder of one of its files; frames are numbered by the images' names.

    Names without numbers are counted from 1 in alphabetical order.

    Raises:
        SolverError: ``camera-not-readable``, ``camera-lens-unknown``, or ``camera-zooms`` (images of different lenses).
    """
    folder, suffix = _find(path)
    try:
        if suffix == "bin":
            cameras, images = _binary_cameras(folder), list(_binary_images(folder))
            points = list(_binary_points(folder))
        else:
            cameras, images = _text_cameras(folder), list(_text_images(folder))
            points = list(_text_points(folder))
    except (ValueError, IndexError, struct.error) as error:
        raise SolverError("camera-not-readable", f"The COLMAP model in {folder} is damaged.", REPAIR) from error
    if not images:
        raise SolverError("camera-not-readable", f"The COLMAP model in {folder} holds no image.", REPAIR)
    lens = _one_lens(folder, [cameras[i] for i in sorted({image.camera for image in images}) if i in cameras])
    frames = _frame_numbers([image.name for image in images])
    order = np.argsort(frames)
    table = np.array(points, float).reshape(-1, 4)
    return KnownCamera(
        frames[order], _poses(images)[order], lens, is_metric=False, points=table[:, :3], point_errors_px=table[:, 3]
    )


def write(folder: Path, camera: KnownCamera) -> None:
    """cameras.txt, images.txt and points3D.txt; images are named by their frame numbers, points have no tracks.

    Raises:
        SolverError: ``lens-not-exportable``: COLMAP has no such distortion.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model, parameters = _colmap_lens(camera.lens)
    numbers = " ".join(repr(float(value)) for value in parameters)
    width, height = camera.lens.size
    (folder / "cameras.txt").write_text(f"1 {model} {width} {height} {numbers}\n", encoding="ascii")
    inverse = np.linalg.inv(camera.world_from_camera)
    rows = np.concatenate([quaternion_from_matrix(inverse[:, :3, :3]), inverse[:, :3, 3]], axis=1).tolist()
    images = [
        f"{index} {' '.join(map(repr, row))} 1 frame_{round(frame):06d}.png\n\n"
        for index, (frame, row) in enumerate(zip(camera.frames.tolist(), rows, strict=True), start=1)
    ]
    (folder / "images.txt").write_text("".join(images), encoding="ascii")
    table = np.concatenate([camera.points, camera.point_errors_px[:, None]], axis=1).tolist()
    points = [f"{index} {x!r} {y!r} {z!r} 128 128 128 {e!r}\n" for index, (x, y, z, e) in enumerate(table, start=1)]
    (folder / "points3D.txt").write_text("".join(points), encoding="ascii")


def is_model(path: Path) -> bool:
    """Is this one of a model's files, or a folder with a model?"""
    return path.name in NAMES or any((path / sub / f"images.{suffix}").is_file() for sub, suffix in _places())


def _places() -> list[tuple[str, str]]:
    return [(sub, suffix) for sub in _SUBFOLDERS for suffix in ("bin", "txt")]


def _find(path: Path) -> tuple[Path, str]:
    top = path.parent if path.name in NAMES else path
    places = [(".", path.suffix[1:])] if path.name in NAMES else _places()
    for sub, suffix in places:
        if all((top / sub / f"{name}.{suffix}").is_file() for name in ("cameras", "images")):
            return top / sub, suffix
    raise SolverError("camera-not-readable", f"{top} lacks COLMAP's cameras or images file.", REPAIR)


# --- lenses -----------------------------------------------------------------------------------------------------------


def _one_lens(folder: Path, lenses: list[tuple[str, int, int, np.ndarray]]) -> LensPart:
    if not lenses:
        raise SolverError(
            "camera-not-readable", f"The COLMAP model in {folder} lacks the camera of its images.", REPAIR
        )
    model, width, height, parameters = lenses[0]
    for other in lenses[1:]:
        if other[:3] != lenses[0][:3] or not np.allclose(other[3], parameters, rtol=_SAME_LENS, atol=_SAME_LENS):
            raise SolverError(
                "camera-zooms",
                f"The images of the COLMAP model in {folder} have {len(lenses)} different lenses.",
                "Solve it again with one camera for all images (ImageReader.single_camera).",
            )
    return _lens(model, (width, height), parameters)


def _lens(model: str, size: tuple[int, int], p: np.ndarray) -> LensPart:
    if model in ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL"):
        return LensPart(np.array([p[0], p[0], p[1], p[2]]), size, np.append(p[3:], [0.0] * (5 - len(p))))
    intrinsics = p[:4].copy()
    if model == "PINHOLE":
        return LensPart(intrinsics, size)
    radial, across = p[4:6], p[6:8]
    if model == "OPENCV" or (model == "FULL_OPENCV" and not p[9:].any()):
        third = p[8] if model == "FULL_OPENCV" else 0.0
        return LensPart(intrinsics, size, np.array([*radial, third, 0.0, *across]), "BROWN")
    if model == "FULL_OPENCV" and not p[4:9].any() and not p[11]:
        return LensPart(intrinsics, size, p[9:11].copy(), "DIVISION")
    raise SolverError(
        "camera-lens-unknown",
        f"COLMAP's lens model {model} has no counterpart in Blender.",
        "Undistort the images with COLMAP's image_undistorter and use those, or solve with the model OPENCV.",
    )


def _colmap_lens(lens: LensPart) -> tuple[str, list[float]]:
    k = [*lens.distortion, *[0.0] * (6 - len(lens.distortion))]
    at = lens.intrinsics.tolist()
    if not any(k):
        return "PINHOLE", at
    if lens.model == "DIVISION":
        return "FULL_OPENCV", [*at, 0.0, 0.0, 0.0, 0.0, 0.0, k[0], k[1], 0.0]
    if lens.model == "NUKE" or (lens.model == "BROWN" and k[3]):
        raise SolverError(
            "lens-not-exportable",
            f"COLMAP has no lens model for the clip's {lens.model.title()} distortion.",
            "Set the clip's distortion model to Polynomial, Division or Brown (without K4) and solve the camera again.",
        )
    across = k[4:6] if lens.model == "BROWN" else [0.0, 0.0]
    if k[2]:
        return "FULL_OPENCV", [*at, k[0], k[1], *across, k[2], 0.0, 0.0, 0.0]
    if at[0] == at[1] and not any(across):
        return "RADIAL", [at[0], at[2], at[3], k[0], k[1]]
    return "OPENCV", [*at, k[0], k[1], *across]


# --- images -----------------------------------------------------------------------------------------------------------


def _frame_numbers(names: list[str]) -> np.ndarray:
    found = [_NUMBER.search(name.rsplit(".", 1)[0]) for name in names]
    numbers = [int(match.group()) for match in found if match]
    if len(numbers) == len(names) == len(set(numbers)):
        return np.array(numbers, float)
    return 1.0 + np.argsort(np.argsort(names)).astype(float)


def _poses(images: list[_Image]) -> np.ndarray:
    turned = matrix_from_quaternion(np.array([image.quaternion for image in images]))
    poses = np.tile(np.eye(4), (len(images), 1, 1))
    poses[:, :3, :3] = np.swapaxes(turned, 1, 2)
    poses[:, :3, 3] = -np.einsum("nij,nj->ni", poses[:, :3, :3], np.array([image.translation for image in images]))
    return poses


# --- text -------------------------------------------------------------------------------------------------------------


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if not line.lstrip().startswith("#")]


def _text_cameras(folder: Path) -> dict[int, tuple[str, int, int, np.ndarray]]:
    cameras = {}
    for words in (line.split() for line in _lines(folder / "cameras.txt") if line):
        _require_count(words[1], len(words) - 4)
        cameras[int(words[0])] = (words[1], int(words[2]), int(words[3]), np.array([float(w) for w in words[4:]]))
    return cameras


def _require_count(model: str, count: int) -> None:
    if dict(_MODELS).get(model, count) != count:
        raise ValueError(f"{model} with {count} parameters")


def _text_images(folder: Path) -> Iterator[_Image]:
    """Two lines an image; the second, its points, may be empty, and other programs leave it out."""
    is_points = False
    for line in _lines(folder / "images.txt"):
        words = line.split(maxsplit=9)
        if not words or (is_points and not _is_image(words)):
            is_points = False
            continue
        values = [float(word) for word in words[1:8]]
        yield _Image(words[9], int(words[8]), tuple(values[:4]), tuple(values[4:]))
        is_points = True


def _is_image(words: list[str]) -> bool:
    """An image's line ends with its name, a line of points holds nothing but numbers."""
    try:
        float(words[9].split()[0])
    except IndexError:
        return False
    except ValueError:
        return True
    return False


def _text_points(folder: Path) -> Iterator[tuple[float, ...]]:
    for line in _lines(folder / "points3D.txt"):
        if line:
            words = line.split(maxsplit=8)
            yield (*(float(word) for word in words[1:4]), float(words[7]))


# --- binary -----------------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()
        self._at = 0

    def take(self, form: str) -> tuple:
        values = struct.unpack_from("<" + form, self._content, self._at)
        self._at += struct.calcsize("<" + form)
        return values

    def text(self) -> str:
        end = self._content.index(b"\0", self._at)
        text = self._content[self._at : end].decode("utf-8", "replace")
        self._at = end + 1
        return text

    def skip(self, count: int) -> None:
        self._at += count


def _binary_cameras(folder: Path) -> dict[int, tuple[str, int, int, np.ndarray]]:
    file = _Reader(folder / "cameras.bin")
    cameras = {}
    for _ in range(file.take("Q")[0]):
        number, model, width, height = file.take("iiQQ")
        name, count = _MODELS[model]
        cameras[number] = (name, width, height, np.array(file.take(f"{count}d")))
    return cameras


def _binary_images(folder: Path) -> Iterator[_Image]:
    file = _Reader(folder / "images.bin")
    for _ in range(file.take("Q")[0]):
        values = file.take("i7di")
        yield _Image(file.text(), values[8], values[1:5], values[5:8])
        file.skip(24 * file.take("Q")[0])


def _binary_points(folder: Path) -> Iterator[tuple[float, ...]]:
    if not (folder / "points3D.bin").is_file():
        return
    file = _Reader(folder / "points3D.bin")
    for _ in range(file.take("Q")[0]):
        _, x, y, z, _, _, _, error = file.take("Q3d3Bd")
        file.skip(8 * file.take("Q")[0])
        yield x, y, z, error
