"""A clip's description to numbers: the exact motion of camera, body, hands and props."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np

from .cameras import camera_path, standing, worn_body
from .clips import ClipSpec, Prop
from .figure import Arm, Figure, HandPose, arm_transforms, hand_bone, hand_transforms, skin
from .motion import hand_motion

# elbows fall down, outwards and back
_POLES = (np.array([-0.55, -0.35, -0.75]), np.array([0.55, -0.35, -0.75]))
_CYLINDER_SIDES = 28
MARGIN = 1  # frames before the first and after the last, for motion blur


@dataclass(frozen=True)
class Motion:
    """Everything that moves, in Blender's world, with ``MARGIN`` frames before and after the clip.

    Attributes:
        times: (N,) s; the clip's frame i is at index i + MARGIN.
        camera: (N, 4, 4) world from camera, Blender's axes.
        vertices: (N, V, 3) of the figure.
        joints: (N, 2, 16, 3) left and right, MANO order: the rig's centres of rotation.
        rotations: (N, 2, 16, 3, 3) world rotations of the hand bones relative to rest, MANO order.
        props: one (N, 4, 4) world pose per prop.
    """

    times: np.ndarray
    camera: np.ndarray
    vertices: np.ndarray
    joints: np.ndarray
    rotations: np.ndarray
    props: tuple[np.ndarray, ...]


def clip_motion(figure: Figure, spec: ClipSpec) -> Motion:
    rate = spec.frame_rate[0] / spec.frame_rate[1]
    times = (np.arange(-MARGIN, spec.frame_count + MARGIN)) / rate
    camera = camera_path(spec.camera, times, spec.seed)
    if spec.body is None:
        body = worn_body(camera, times)
    else:
        body = np.broadcast_to(standing(*map(np.array, spec.body)), (len(times), 4, 4))
    hands = [
        hand_motion(figure.arms[side], spec.keys[side], spec.waves[side], times, body, spec.seed + 10 * (side + 1))
        for side in range(2)
    ]
    vertices, joints, rotations = _posed(figure, body, hands)
    props = tuple(_prop_poses(figure.arms[prop.hand], hands[prop.hand], prop, times) for prop in spec.props)
    return Motion(times, camera, vertices, joints, rotations, props)


def _posed(figure: Figure, body: np.ndarray, hands: list[list[HandPose]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = len(body)
    vertices = np.empty((count, len(figure.vertices), 3), np.float32)
    origins, rotations = np.empty((count, 2, 16, 3)), np.empty((count, 2, 16, 3, 3))
    twists = [0.0, 0.0]
    for frame in range(count):
        turns, places = [body[frame, :3, :3]], [body[frame, :3, 3]]
        for side, arm in enumerate(figure.arms):
            pose = hands[side][frame]
            above, at, twists[side] = arm_transforms(arm, body[frame], pose, _POLES[side], twists[side])
            hand_turns, joints = hand_transforms(arm, pose)
            turns, places = [*turns, *above, *hand_turns], [*places, *at, *joints]
            origins[frame, side], rotations[frame, side] = joints, hand_turns
        vertices[frame] = skin(figure, np.array(turns), np.array(places))
    return vertices, origins, rotations


def _prop_poses(arm: Arm, hand: list[HandPose], prop: Prop, times: np.ndarray) -> np.ndarray:
    axes = np.stack([arm.fingers, arm.palm, arm.thumb], axis=1)
    poses = np.broadcast_to(np.eye(4), (len(times), 4, 4)).copy()
    for frame, time in enumerate(np.clip(times, prop.grab, prop.release)):
        pose = hand[int(np.clip(np.searchsorted(times, time), 0, len(hand) - 1))]
        poses[frame, :3, :3] = pose.rotation @ axes
        poses[frame, :3, 3] = pose.wrist + poses[frame, :3, :3] @ np.array(prop.offset)
    return poses


def prop_mesh(prop: Prop) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Vertices (n, 3) metres and faces of a prop about its centre."""
    half = np.array(prop.size) / 2
    if prop.kind == "box":
        corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        return corners * half, faces
    angles = np.linspace(0, 2 * np.pi, _CYLINDER_SIDES, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), np.ones_like(angles)], axis=1)
    n = _CYLINDER_SIDES
    sides = [(k, (k + 1) % n, n + (k + 1) % n, n + k) for k in range(n)]
    return np.concatenate([ring * [1, 1, -1], ring]) * half, [*sides, tuple(range(n))[::-1], tuple(range(n, 2 * n))]


def cloth_faces(figure: Figure, sleeve: float) -> np.ndarray:
    """(F,) bool: the torso, the upper arms and the forearms down to the share ``sleeve`` of their length."""
    covered = figure.weights[:, 0] > 0.5
    hands = np.zeros(len(figure.vertices))
    for side, arm in enumerate(figure.arms):
        first = hand_bone(side, 0)
        hands += figure.weights[:, first : first + 16].sum(axis=1)
        axis = arm.joints[0] - arm.elbow
        along = (figure.vertices - arm.elbow) @ axis / (axis @ axis)
        own = figure.vertices[:, 0] * (1 if side else -1) > 0
        covered |= own & (along < sleeve)
    covered &= hands < 0.2
    return np.where(figure.faces >= 0, covered[figure.faces], True).all(axis=1)


def redness(figure: Figure) -> np.ndarray:
    """(V,) 0..1: strongest over the knuckles' backs and at the finger ends."""
    amount = np.zeros(len(figure.vertices))
    for arm in figure.arms:
        for joint in range(1, 16):
            away = figure.vertices - arm.joints[joint]
            near = np.exp(-0.5 * ((away**2).sum(axis=1) / 0.011**2))
            amount = np.maximum(amount, 0.55 * near * (away @ arm.palm < 0.004))
        for tip in arm.tips:
            amount = np.maximum(amount, 0.6 * np.exp(-0.5 * ((figure.vertices - tip) ** 2).sum(axis=1) / 0.009**2))
    return amount


def nail_mask(jpeg: bytes, size: int = 1024) -> np.ndarray:
    """(size, size) float32 in 0..1 from MakeHuman's fingernail texture."""
    grey = cv2.imdecode(np.frombuffer(io.BytesIO(jpeg).getbuffer(), np.uint8), cv2.IMREAD_GRAYSCALE)
    return cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
