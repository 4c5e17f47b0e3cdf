"""Results of other programs as ``Result``: the one place where they are parsed.

=========  =====================================  ==================================================================
program    file                                   keys that are read
=========  =====================================  ==================================================================
Dyn-HaMR   ``*_world_results.npz``, or a folder   trans (H,T,3), root_orient (H,T,3), pose_body (H,T,15,3), betas
           with it; ``track_info.json`` beside    (H,10), is_right (H,T), cam_R (H,T,3,3) and cam_t (H,T,3) world to
           or above it says what was seen         camera, intrins (4)
HaWoR      ``world_space_res.pth``, or its        a list: trans (2,T,3), rot (2,T,3), hand_pose (2,T,45), betas
           folder; ``SLAM/hawor_slam_w_scale_*``  (2,T,10), valid (2,T), left first; the camera's traj (T,7), scale,
           beside it                              img_focal, img_center
HaMeR,     a folder of one file a frame, or one   per hand: global_orient, hand_pose, betas, is_right or right, and
WiLoR      file with all frames                   pred_cam_t_full or cam_t (or pred_cam, box_center, box_size);
                                                  optional scaled_focal_length, img_size, pred_keypoints_3d
=========  =====================================  ==================================================================

Left hands. HaMeR and WiLoR see a left hand in a mirror: what they store is the right hand of the mirrored picture,
whose mesh they flip in x *before* cam_t is added. Dyn-HaMR flips *after* trans was added, so its trans is mirrored too.
HaWoR and WiLoR-mini store true left hands. All rotations are full: MANO's mean pose is not to be added.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SolverError
from ..hand_model.model import HandModel
from ..hand_model.rotations import exp, matrix_from_quaternion, project_to_rotation
from ..take import INFILLED, MISSING, OBSERVED
from . import containers, mano_parameters
from .result import MIRROR, Result, mirrored

# HaMeR and WiLoR predict for a crop of 256 px seen by a focal length of 5000
_CROP_FOCAL_PER_PX = 5000.0 / 256.0


def read(path: Path, models: Mapping[str, HandModel] | None = None) -> Result:
    """Recognise the file or folder by what is in it, and read it.

    Args:
        path: as in the table.
        models: the reader's own hand models by side; needed only for MANO parameters that leave the mean out or are
            PCA coefficients.

    Raises:
        SolverError: ``result-not-readable``, ``result-unsafe``, ``result-unknown`` or ``result-incomplete``.
    """
    path = Path(path)
    if not path.exists():
        raise SolverError("result-not-readable", f"{path} does not exist.", "Choose another file.")
    if path.is_dir():
        return _read_folder(path, models)
    content = containers.read(path)
    try:
        return _recognised(content, path, models)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise _incomplete(path, error) from error


def _recognised(content: Any, path: Path, models: Mapping[str, HandModel] | None) -> Result:
    if isinstance(content, dict) and isinstance(content.get("world"), dict):
        content = content["world"]
    if isinstance(content, dict) and {"trans", "root_orient"} <= content.keys():
        return _dyn_hamr(content, path)
    if isinstance(content, list) and len(content) == 5 and all(isinstance(part, np.ndarray) for part in content):
        return _hawor(content, path)
    if isinstance(content, dict) and {"header", "rotations", "transl"} <= content.keys():
        raise SolverError("result-is-take", f"{path.name} is a take of Handheld already.", "Open it as a take.")
    if isinstance(content, dict) and mano_parameters.is_parameters(content):
        return mano_parameters.result(content, models)
    return _frame_by_frame(_numbered(content), path)


def _read_folder(folder: Path, models: Mapping[str, HandModel] | None) -> Result:
    known = sorted(folder.rglob("world_space_res.pth")) or sorted(
        folder.rglob("*_world_results.npz"), key=lambda found: (found.parent.name == "smooth_fit", found.name)
    )
    if known:
        return read(known[-1], models)
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in containers.SUFFIXES)
    if not files:
        raise SolverError(
            "result-unknown", f"{folder} holds no results that are known.", "Choose the folder with one file a frame."
        )
    try:
        return _frame_by_frame([(_number_in(file.stem), containers.read(file)) for file in files], folder)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise _incomplete(folder, error) from error


def _incomplete(path: Path, error: Exception) -> SolverError:
    lack = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    return SolverError(
        "result-incomplete",
        f"{path.name} is no result that is known: {lack}.",
        "See solver/formats/README.md for the keys that are read from each program's results.",
    )


# --- Dyn-HaMR ---------------------------------------------------------------------------------------------------------


def _dyn_hamr(content: dict[str, Any], path: Path) -> Result:
    trans = np.asarray(content["trans"], float)
    hands, count = trans.shape[:2]
    pose = content["pose_body"] if "pose_body" in content else content["latent_pose"]
    vectors = np.concatenate([content["root_orient"], np.reshape(pose, (hands, count, 45))], axis=2)
    rotations = exp(vectors.reshape(hands, count, 16, 3).astype(float))
    is_right = np.reshape(content["is_right"], (hands, -1)).mean(axis=1) > 0.5
    rotations[~is_right] = mirrored(rotations[~is_right])
    trans = np.where(is_right[:, None, None], trans, trans @ MIRROR)
    status = _status_of_mask(content["vis_mask"]) if "vis_mask" in content else _track_info(path, hands, count)
    rotations[status == MISSING], trans[status == MISSING] = np.nan, np.nan
    lens = np.reshape(content["intrins"], (-1, 4))[0].astype(float) if "intrins" in content else None
    return Result(
        program="Dyn-HaMR",
        sides=tuple("right" if right else "left" for right in is_right),
        rotations=rotations,
        transl=trans,
        betas=_mean_betas(np.asarray(content["betas"], float), hands, status),
        status=status,
        world_from_camera=_inverse_rigid(content, count),
        intrinsics=lens,
        size=None if lens is None else (round(2 * lens[2]), round(2 * lens[3])),
    )


def _inverse_rigid(content: dict[str, Any], count: int) -> np.ndarray | None:
    """(T, 4, 4) world_from_camera of the first track's cam_R and cam_t; all tracks carry the same."""
    if "cam_R" not in content:
        return None
    turn = np.reshape(content["cam_R"], (-1, 3, 3))[:count].astype(float)
    step = np.reshape(content["cam_t"], (-1, 3))[:count].astype(float)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = np.swapaxes(turn, 1, 2)
    poses[:, :3, 3] = -(np.swapaxes(turn, 1, 2) @ step[..., None])[..., 0]
    return poses


def _track_info(path: Path, hands: int, count: int) -> np.ndarray:
    """(H, T) status from the masks of ``track_info.json``; without that file everything was seen."""
    status = np.full((hands, count), OBSERVED, np.uint8)
    infos = [folder / "track_info.json" for folder in (path.parent, path.parent.parent)]
    found = next((info for info in infos if info.is_file()), None)
    for track in json.loads(found.read_text(encoding="utf-8")).get("tracks", {}).values() if found else ():
        mask, row = np.asarray(track.get("vis_mask", []), int), int(track.get("index", hands))
        if row < hands and len(mask) == count:
            status[row] = _status_of_mask(mask)
    return status


def _status_of_mask(mask: np.ndarray) -> np.ndarray:
    """Dyn-HaMR's vis_mask: 1 seen, 0 hidden, -1 outside of the track."""
    mask = np.asarray(mask, int)
    return np.select([mask > 0, mask == 0], [OBSERVED, INFILLED], MISSING).astype(np.uint8)


def _mean_betas(betas: np.ndarray, hands: int, status: np.ndarray) -> np.ndarray:
    """(H, 10): one shape per hand, the mean over its frames where a file has one per frame."""
    if betas.ndim == 2:
        return betas[:hands]
    there = status != MISSING
    rows = zip(betas, there, strict=True)
    return np.array([row[seen].mean(axis=0) if seen.any() else np.zeros(10) for row, seen in rows])


# --- HaWoR ------------------------------------------------------------------------------------------------------------


def _hawor(content: list[np.ndarray], path: Path) -> Result:
    trans, orient, pose, betas, valid = (np.array(part, float) for part in content)
    hands, count = trans.shape[:2]
    vectors = np.concatenate([orient.reshape(hands, count, 3), pose.reshape(hands, count, 45)], axis=2)
    rotations = exp(vectors.reshape(hands, count, 16, 3))
    status = np.where(valid.reshape(hands, count) > 0.5, OBSERVED, MISSING).astype(np.uint8)
    rotations[status == MISSING], trans[status == MISSING] = np.nan, np.nan
    result = Result(
        program="HaWoR",
        sides=("left", "right")[:hands],
        rotations=rotations,
        transl=trans,
        betas=_mean_betas(betas.reshape(hands, count, 10), hands, status),
        status=status,
    )
    cameras = sorted(path.parent.rglob("hawor_slam_w_scale_*.npz"))
    if not cameras:
        note = "No SLAM/hawor_slam_w_scale_*.npz beside it: the camera is taken to stand still at the origin."
        return Result(**{**vars(result), "notes": (note,)})
    return _with_hawor_camera(result, containers.read(cameras[-1]), count)


def _with_hawor_camera(result: Result, camera: dict[str, Any], count: int) -> Result:
    """traj (T, 7): position and quaternion (x, y, z, w) of the camera in the world, times ``scale`` in metres."""
    traj = np.asarray(camera["traj"], float)
    if len(traj) < count:
        raise ValueError(f"its camera has {len(traj)} frames for {count} of the hands")
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = matrix_from_quaternion(traj[:count, [6, 3, 4, 5]])
    poses[:, :3, 3] = traj[:count, :3] * float(camera["scale"])
    focal, (cx, cy) = float(camera["img_focal"]), np.ravel(camera["img_center"])[:2].astype(float)
    lens, size = np.array([focal, focal, cx, cy]), (round(2 * cx), round(2 * cy))
    return Result(**{**vars(result), "world_from_camera": poses, "intrinsics": lens, "size": size})


# --- HaMeR, WiLoR: hands frame by frame -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """One hand in one frame, in the camera's frame."""

    frame: int
    side: str
    rotations: np.ndarray
    transl: np.ndarray
    betas: np.ndarray
    focal_px: float | None
    size: tuple[int, int] | None
    keypoints: np.ndarray | None


_NESTED = ("pred_mano_params", "mano_params", "mano", "wilor_preds", "camera", "out", "preds")
_NAMES = {
    "global_orient": ("global_orient", "pred_global_orient", "root_orient"),
    "hand_pose": ("hand_pose", "pred_hand_pose"),
    "betas": ("betas", "pred_betas"),
    "is_right": ("is_right", "right", "hand_side", "handedness", "side"),
    "cam_t": ("pred_cam_t_full", "cam_t_full", "cam_t", "camera_translation", "transl"),
    "focal": ("scaled_focal_length", "focal_length", "focal"),
    "size": ("img_size", "image_size", "full_img_size", "img_res"),
    "keypoints": ("pred_keypoints_3d", "keypoints_3d", "joints_3d"),
    "frame": ("frame", "frame_idx", "frame_index", "frame_id", "img_name", "img_path", "image_name"),
}


def _numbered(content: Any) -> list[tuple[int | None, Any]]:
    """A file with all frames: a list with one entry a frame, or a dictionary by frame number or image name."""
    if isinstance(content, dict) and _find(_flat(content), "global_orient") is None:
        frames = [(_number_in(str(key)), item) for key, item in content.items() if isinstance(item, dict | list)]
        return sorted(frames, key=lambda entry: -1 if entry[0] is None else entry[0])
    return list(enumerate(content)) if isinstance(content, list) else [(None, content)]


def _number_in(name: str) -> int | None:
    digits = re.findall(r"\d+", Path(name).stem)
    return int(digits[-1]) if digits else None


def _frame_by_frame(entries: list[tuple[int | None, Any]], path: Path) -> Result:
    seen = [hand for row, (number, entry) in enumerate(entries) for hand in _hands_of(entry, number, row)]
    if not seen:
        raise ValueError("it has no hand in any frame")
    frames = np.arange(min(hand.frame for hand in seen), max(hand.frame for hand in seen) + 1)
    sides = tuple(side for side in ("left", "right") if any(hand.side == side for hand in seen))
    chosen = {side: _one_a_frame([hand for hand in seen if hand.side == side]) for side in sides}
    extra = len(seen) - sum(len(track) for track in chosen.values())
    return _assembled(chosen, frames, _is_wilor(entries, path), extra)


def _is_wilor(entries: list[tuple[int | None, Any]], path: Path) -> bool:
    return "wilor" in str(path).lower() or "wilor_preds" in repr(entries[0][1])[:2000]


def _one_a_frame(hands: list[_Seen]) -> dict[int, _Seen]:
    """Of several hands of one side in a frame, the one nearest to that side's last."""
    track: dict[int, _Seen] = {}
    last: _Seen | None = None
    for frame in sorted({hand.frame for hand in hands}):
        there = [hand for hand in hands if hand.frame == frame]
        if last is not None:
            there.sort(key=lambda hand: float(np.linalg.norm(hand.transl - last.transl)))
        track[frame] = last = there[0]
    return track


def _assembled(tracks: dict[str, dict[int, _Seen]], frames: np.ndarray, is_wilor: bool, extra: int) -> Result:
    hands, count = len(tracks), len(frames)
    rotations = np.full((hands, count, 16, 3, 3), np.nan)
    transl, keypoints = np.full((hands, count, 3), np.nan), np.full((hands, count, 21, 3), np.nan)
    status = np.full((hands, count), MISSING, np.uint8)
    betas = np.zeros((hands, 10))
    for row, track in enumerate(tracks.values()):
        betas[row] = np.mean([hand.betas for hand in track.values()], axis=0)
        for frame, hand in track.items():
            at = row, frame - frames[0]
            rotations[at], transl[at], status[at] = hand.rotations, hand.transl, OBSERVED
            if hand.keypoints is not None:
                keypoints[at] = hand.keypoints
    lens, size = _lens([hand for track in tracks.values() for hand in track.values()])
    more = f"{extra} more hands of a side that was there already in their frame were left out."
    return Result(
        program="WiLoR" if is_wilor else "HaMeR",
        sides=tuple(tracks),
        rotations=rotations,
        transl=transl,
        betas=betas,
        status=status,
        frames=frames,
        intrinsics=lens,
        size=size,
        keypoints=keypoints if np.isfinite(keypoints).any() else None,
        focal_is_virtual=True,
        notes=(more,) if extra else (),
    )


def _lens(hands: list[_Seen]) -> tuple[np.ndarray | None, tuple[int, int] | None]:
    size = next((hand.size for hand in hands if hand.size), None)
    focal = next((hand.focal_px for hand in hands if hand.focal_px), None)
    focal = focal or (_CROP_FOCAL_PER_PX * max(size) if size else None)
    if size is None or focal is None:
        return None, size
    return np.array([focal, focal, size[0] / 2, size[1] / 2]), size


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with its inner dictionaries' keys beside its own."""
    flat = dict(record)
    for name in _NESTED:
        if isinstance(record.get(name), dict):
            flat |= _flat(record[name])
    return flat


def _find(flat: dict[str, Any], what: str) -> Any:
    return next((flat[name] for name in _NAMES[what] if name in flat), None)


def _hands_of(entry: Any, number: int | None, row: int) -> Iterator[_Seen]:
    if isinstance(entry, list):
        for hand in entry:
            yield from _hands_of(hand, number, row)
        return
    flat = _flat(entry)
    orient = _find(flat, "global_orient")
    if orient is None:
        return  # a frame without hands
    named = _find(flat, "frame")
    if named is not None:
        number = _number_in(named) if isinstance(named, str) else int(np.ravel(named)[0])
    sides = _sides(_find(flat, "is_right"))
    count = len(sides)
    rotations = _rotations(np.asarray(orient, float), np.asarray(_find(flat, "hand_pose"), float), count)
    cam_t, focal, size = _camera_translation(flat, count)
    betas, keypoints = _find(flat, "betas"), _find(flat, "keypoints")
    is_native = "wilor_preds" in entry
    for hand, side in enumerate(sides):
        points = None if keypoints is None else np.reshape(keypoints, (count, -1, 3))[hand, :21].astype(float)
        turned = rotations[hand]
        if side == "left" and not is_native:
            turned, points = mirrored(turned), None if points is None else points @ MIRROR
        yield _Seen(
            frame=row if number is None else number,
            side=side,
            rotations=turned,
            transl=cam_t[hand],
            betas=np.zeros(10) if betas is None else np.reshape(betas, (count, 10))[hand].astype(float),
            focal_px=focal,
            size=size,
            keypoints=None if points is None else points + cam_t[hand],
        )


def _sides(value: Any) -> list[str]:
    if value is None:
        raise KeyError("is_right")
    if isinstance(value, str):
        return ["right" if value.lower().startswith("r") else "left"]
    if isinstance(value, list) and value and isinstance(value[0], str):
        return ["right" if item.lower().startswith("r") else "left" for item in value]
    return ["right" if right > 0.5 else "left" for right in np.ravel(value)]


def _rotations(orient: np.ndarray, pose: np.ndarray, count: int) -> np.ndarray:
    """(count, 16, 3, 3) of matrices or rotation vectors in whatever shape they come."""
    parts = []
    for values, joints in ((orient, 1), (pose, 15)):
        if values.size == 9 * joints * count:
            parts.append(project_to_rotation(values.reshape(count, joints, 3, 3)))
        elif values.size == 3 * joints * count:
            parts.append(exp(values.reshape(count, joints, 3)))
        else:
            raise ValueError(f"it has {values.size} numbers for {count} hands with {joints} joints")
    return np.concatenate(parts, axis=1)


def _camera_translation(flat: dict[str, Any], count: int) -> tuple[np.ndarray, float | None, tuple[int, int] | None]:
    """(count, 3) in the full picture's camera, its focal length in px, and the picture's size."""
    size, focal, full = _find(flat, "size"), _find(flat, "focal"), _find(flat, "cam_t")
    size = None if size is None else tuple(int(n) for n in np.ravel(size)[:2])
    focal = None if focal is None else float(np.ravel(focal)[0])
    if full is not None:
        return np.reshape(full, (count, 3)).astype(float), focal, size
    if size is None or not {"pred_cam", "box_center", "box_size"} <= flat.keys():
        raise KeyError("pred_cam_t_full")
    focal = _CROP_FOCAL_PER_PX * max(size)
    scale, x, y = np.reshape(flat["pred_cam"], (count, 3)).astype(float).T
    offset = np.reshape(flat["box_center"], (count, 2)).astype(float) - np.array(size) / 2
    half_box = np.ravel(flat["box_size"]).astype(float) * scale / 2
    shift = offset / half_box[:, None] + np.stack([x, y], axis=1)
    return np.column_stack([shift, focal / half_box]), focal, size
