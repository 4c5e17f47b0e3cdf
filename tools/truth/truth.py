"""The exact truth of a clip, in the solver's frames, as one ``truth.npz``.

Keys (T frames, hands in the order left, right, keypoints in OpenPose order, world and camera in OpenCV axes, metres):

- ``frames`` (T,) from 1; ``frame_rate`` (2,); ``size`` (2,) px; ``intrinsics`` (4,) fx fy cx cy of the pinhole, pixel
  centres at half-integers; ``distortion`` (2,) k1 k2, x_d = x (1 + k1 r^2 + k2 r^4); ``row_time`` seconds that the last
  row is exposed after the first (0: global shutter). Poses hold at the middle of each frame's exposure, middle row.
- ``world_from_camera`` (T, 4, 4).
- ``keypoints`` (T, 2, 21, 3) world. The joints are MANO's 16 (wrist; the thumb's carpometacarpal, metacarpophalangeal
  and interphalangeal joints; each finger's knuckle, PIP and DIP) where the anatomy of ``landmarks`` has them on this
  person's surface, carried by the bone above them. A tip is the vertex farthest out along the last bone, on the skin,
  as MANO's tip vertices are.
- ``rig_joints`` (T, 2, 16, 3) world, MANO order: the centres about which the rendered hand's bones turn.
- ``keypoints_px`` (T, 2, 21, 2) with the distortion, without the rolling shutter.
- ``visibility`` (T, 2, 21) uint8: VISIBLE, OCCLUDED, OUTSIDE. Visible: within the frame, and the surface in front at
  that pixel or a neighbour 2 px away belongs to the same hand's bones that meet at that joint.
- ``rotations`` (T, 2, 16, 3, 3) world rotations of the bones, MANO order, relative to the rendered figure's rest.
- ``masks`` (T, H, W) uint8 of NOTHING, LEFT, RIGHT (hand, from the wrist on), ARM (either arm and body), PROP, as
  rendered without distortion, blur or rolling shutter.
- ``vertices`` (T, 2, V, 3) float32 of the hand surfaces (each side's own count, NaN-padded) and ``faces`` (2, F, 3),
  padded with -1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .cameras import to_solver_camera, to_solver_world
from .clips import ClipSpec, Nuisance
from .develop import distort
from .figure import HAND_PARENTS, KEYPOINTS, Figure, hand_bone
from .prepare import MARGIN, Motion, prop_mesh
from .raster import rasterise

VISIBLE, OCCLUDED, OUTSIDE = 0, 1, 2
NOTHING, LEFT, RIGHT, ARM, PROP = 0, 1, 2, 3, 4
_NO_BONE = -9
_NEIGHBOURS = np.array([[0, 0], [2, 0], [-2, 0], [0, 2], [0, -2]])


def clip_truth(figure: Figure, spec: ClipSpec, motion: Motion, landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays listed above. ``landmarks`` (2, 16, 3): see ``landmarks.rest_joints``, body frame."""
    inner = slice(MARGIN, MARGIN + spec.frame_count)
    cameras = to_solver_camera(motion.camera[inner])
    keypoints = to_solver_world(_keypoints(figure, motion, landmarks)[inner])
    vertices = to_solver_world(motion.vertices[inner])
    props = [(prop_mesh(prop), poses[inner]) for prop, poses in zip(spec.props, motion.props, strict=True)]
    triangles, bones = _labelled_triangles(figure)
    masks, visibility = [], []
    for frame, camera in enumerate(cameras):
        bone_image = _bone_image(vertices[frame], triangles, bones, props, frame, camera, spec)
        masks.append(_mask(bone_image))
        visibility.append(_visibility(keypoints[frame], bone_image, camera, spec))
    hand_vertices, hand_faces = _hand_meshes(figure, vertices, triangles, bones)
    rate = spec.frame_rate[0] / spec.frame_rate[1]
    return {
        "frames": np.arange(1, spec.frame_count + 1),
        "frame_rate": np.array(spec.frame_rate),
        "size": np.array(spec.size),
        "intrinsics": np.array(spec.intrinsics),
        "distortion": np.array([spec.nuisance.k1, spec.nuisance.k2]),
        "row_time": np.array(spec.nuisance.shutter * spec.nuisance.rolling_shutter / rate),
        "world_from_camera": cameras,
        "keypoints": keypoints,
        "keypoints_px": project(keypoints, cameras[:, None], spec)[0],
        "visibility": np.array(visibility, np.uint8),
        "rig_joints": to_solver_world(motion.joints[inner]),
        "rotations": to_solver_world(np.swapaxes(motion.rotations[inner], -1, -2)).swapaxes(-1, -2),
        "masks": np.array(masks, np.uint8),
        "vertices": hand_vertices,
        "faces": hand_faces,
    }


def _keypoints(figure: Figure, motion: Motion, landmarks: np.ndarray) -> np.ndarray:
    """(N, 2, 21, 3) in Blender's world."""
    carriers = np.maximum(HAND_PARENTS, 0)
    result = np.empty((len(motion.times), 2, 21, 3))
    for side, arm in enumerate(figure.arms):
        offsets = landmarks[side] - arm.joints[carriers]
        turned = np.einsum("tjab,jb->tja", motion.rotations[:, side][:, carriers], offsets)
        joints = motion.joints[:, side][:, carriers] + turned
        tips = motion.vertices[:, arm.tip_vertices]
        result[:, side] = np.concatenate([joints, tips], axis=1)[:, list(KEYPOINTS)]
    return result


def write_truth(folder: Path, truth: dict[str, np.ndarray]) -> None:
    """``truth.npz``, and ``camera.npz`` as the solver's ``--camera`` takes it."""
    np.savez_compressed(folder / "truth.npz", **truth)
    camera = {name: truth[name] for name in ("frames", "world_from_camera", "intrinsics")}
    np.savez_compressed(folder / "camera.npz", **camera)


def project(points: np.ndarray, camera: np.ndarray, spec: ClipSpec) -> tuple[np.ndarray, np.ndarray]:
    """(..., n, 3) world points through (..., 4, 4) cameras: px (..., n, 2) with distortion, depth (..., n)."""
    local = in_camera(points, camera)
    fx, fy, cx, cy = spec.intrinsics
    depth = local[..., 2]
    flat = distort(local[..., :2] / np.where(depth > 0.01, depth, np.nan)[..., None], spec.nuisance)
    return flat * [fx, fy] + [cx, cy], depth


def in_camera(points: np.ndarray, world_from_camera: np.ndarray) -> np.ndarray:
    """(..., n, 3) world points in the camera's frame."""
    return (points - world_from_camera[..., None, :3, 3]) @ world_from_camera[..., :3, :3]


def _labelled_triangles(figure: Figure) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (F, 3) and the bone (F,) that each belongs to: that of most of its corners' weight."""
    quads = figure.faces
    second = quads[quads[:, 3] >= 0][:, [0, 2, 3]]
    triangles = np.concatenate([quads[:, :3], second])
    return triangles, figure.weights[triangles].sum(axis=1).argmax(axis=1)


def _bone_image(
    vertices: np.ndarray,
    triangles: np.ndarray,
    bones: np.ndarray,
    props: list,
    frame: int,
    camera: np.ndarray,
    spec: ClipSpec,
) -> np.ndarray:
    """(H, W) bone in front, -1 nothing, -2 a prop; without distortion."""
    points, faces, labels = [vertices], [triangles], [bones]
    for (corners, polygons), poses in props:
        pose = poses[frame]
        offset = sum(map(len, points))
        points.append(to_solver_world(corners @ pose[:3, :3].T + pose[:3, 3]))
        fan = [(p[0], p[k], p[k + 1]) for p in polygons for k in range(1, len(p) - 1)]
        faces.append(np.array(fan) + offset)
        labels.append(np.full(len(fan), -2))
    winner, _ = rasterise(in_camera(np.concatenate(points), camera), np.concatenate(faces), spec.intrinsics, spec.size)
    return np.where(winner >= 0, np.concatenate(labels)[winner], -1)


def _mask(bone_image: np.ndarray) -> np.ndarray:
    mask = np.where(bone_image >= 0, ARM, NOTHING)
    mask[bone_image == -2] = PROP
    for side, label in enumerate((LEFT, RIGHT)):
        first = hand_bone(side, 0)
        mask[(bone_image >= first) & (bone_image < first + 16)] = label
    return mask


def _meeting_bones() -> list[list[int]]:
    """For each keypoint the hand's bones (MANO joints) whose surfaces meet there; -1 stands for the forearm."""
    meeting = []
    for source in KEYPOINTS:
        if source >= 16:
            meeting.append([3 + 3 * (source - 16)])
        else:
            children = [c for c, p in enumerate(HAND_PARENTS) if p == source]
            meeting.append([source, HAND_PARENTS[source], *(children if source else [])])
    return meeting


_MEETING = _meeting_bones()


def _visibility(keypoints: np.ndarray, bone_image: np.ndarray, camera: np.ndarray, spec: ClipSpec) -> np.ndarray:
    """(2, 21) of VISIBLE, OCCLUDED, OUTSIDE for world keypoints (2, 21, 3)."""
    bent, depth = project(keypoints, camera, spec)
    inside = (depth > 0.01) & (bent >= 0).all(axis=-1) & (bent < spec.size).all(axis=-1)
    straight, _ = project(keypoints, camera, replace(spec, nuisance=Nuisance()))
    result = np.empty((2, 21), int)
    for side in range(2):
        first = hand_bone(side, 0)
        own = np.where((bone_image >= first - 1) & (bone_image < first + 16), bone_image - first, _NO_BONE)
        result[side] = np.where(inside[side], hand_visibility(straight[side], own), OUTSIDE)
    return result


def hand_visibility(px: np.ndarray, bone_image: np.ndarray) -> np.ndarray:
    """(21,) of VISIBLE, OCCLUDED, OUTSIDE for one hand's keypoints (21, 2) in an image (H, W) of the bone in front.

    Bones are MANO's joints, -1 the forearm, anything lower something else.
    """
    height, width = bone_image.shape
    result = np.full(21, OUTSIDE)
    for k in np.flatnonzero((px >= 0).all(axis=1) & (px < [width, height]).all(axis=1)):
        at = np.clip(np.floor(px[k]).astype(int) + _NEIGHBOURS, 0, [width - 1, height - 1])
        seen = np.isin(bone_image[at[:, 1], at[:, 0]], _MEETING[k]).any()
        result[k] = VISIBLE if seen else OCCLUDED
    return result


def _hand_meshes(
    figure: Figure, vertices: np.ndarray, triangles: np.ndarray, bones: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    parts = []
    for side in range(2):
        first = hand_bone(side, 0)
        own = triangles[(bones >= first) & (bones < first + 16)]
        used = np.unique(own)
        renumber = np.zeros(len(figure.vertices), int)
        renumber[used] = np.arange(len(used))
        parts.append((vertices[:, used], renumber[own]))
    most_vertices, most_faces = (max(part[k].shape[1 - k] for part in parts) for k in range(2))
    padded = np.full((len(vertices), 2, most_vertices, 3), np.nan, np.float32)
    faces = np.full((2, most_faces, 3), -1)
    for side, (points, own) in enumerate(parts):
        padded[:, side, : points.shape[1]] = points
        faces[side, : len(own)] = own
    return padded, faces
