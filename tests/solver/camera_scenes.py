"""Small clips with exact camera truth: textured rectangles seen through a pinhole, drawn by one homography each.

Good enough to judge a camera solver (texture, parallax, occlusion, hands, blur, rolling shutter), not to look at.
World: metres, x right, y down, z forward. The room is 5 x 2.6 x 5 m, its floor at y = 0; a table stands before a wall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from solver.observations import HandTrack
from solver.video import Clip

TEXELS_PER_METRE = 320.0
FRAME_RATE = 30


@dataclass(frozen=True)
class Rectangle:
    """``corner + a * across + b * down`` with a, b in 0..1; ``texture`` (h, w) uint8 spans it."""

    corner: np.ndarray
    across: np.ndarray
    down: np.ndarray
    texture: np.ndarray


@dataclass(frozen=True)
class Scene:
    """Attributes:
    poses: (T, 4, 4) world_from_camera.
    focal_px: focal length; the principal point is the centre.
    k1: radial distortion, x_d = x_u (1 + k1 r^2).
    hands: carried by the camera, over about a quarter of the image.
    cuts: frames from which the camera looks at another room.
    """

    size: tuple[int, int]
    focal_px: float
    poses: np.ndarray
    rectangles: tuple[Rectangle, ...]
    k1: float = 0.0
    hands: bool = True
    blur: float = 0.25
    readout: float = 0.0
    noise: float = 2.0
    cuts: tuple[tuple[int, tuple[Rectangle, ...]], ...] = ()
    seed: int = 0

    @property
    def intrinsics(self) -> np.ndarray:
        return np.array([self.focal_px, self.focal_px, self.size[0] / 2, self.size[1] / 2])


# --- rooms ------------------------------------------------------------------------------------------------------------


def texture(rng: np.random.Generator, width_m: float, height_m: float, contrast: float = 1.0) -> np.ndarray:
    """Octaves of noise and some blotches, at TEXELS_PER_METRE."""
    w, h = max(8, int(width_m * TEXELS_PER_METRE)), max(8, int(height_m * TEXELS_PER_METRE))
    image = np.zeros((h, w), np.float32)
    for step, weight in ((160, 35), (48, 30), (14, 28), (5, 22)):
        coarse = rng.normal(0, 1, (max(2, h // step + 2), max(2, w // step + 2))).astype(np.float32)
        image += weight * cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(12 * width_m * height_m) + 2):
        x, y = int(rng.integers(0, w)), int(rng.integers(0, h))
        size = rng.integers(4, 24, 2)
        cv2.rectangle(image, (x, y), (x + int(size[0]), y + int(size[1])), float(rng.uniform(-80, 80)), -1)
    return np.clip(rng.uniform(90, 165) + contrast * image, 0, 255).astype(np.uint8)


def _rectangle(rng, corner, across, down, contrast=1.0) -> Rectangle:
    corner, across, down = (np.asarray(v, float) for v in (corner, across, down))
    return Rectangle(corner, across, down, texture(rng, np.linalg.norm(across), np.linalg.norm(down), contrast))


def _box(rng, centre, size, yaw=0.0, contrast=1.0) -> list[Rectangle]:
    """Five faces (no bottom) of an upright box standing with its floor at ``centre``."""
    x, _, z = Rotation.from_euler("y", yaw).as_matrix().T * np.array(size)[:, None]
    y = np.array([0, size[1], 0.0])
    base = np.asarray(centre, float)
    low = base - x / 2 - z / 2 - y
    faces = [(low, x, y), (low + x, z, y), (low + x + z, -x, y), (low + z, -z, y), (low + z, x, -z)]
    return [_rectangle(rng, *face, contrast) for face in faces]


def room(seed: int = 0, contrast: float = 1.0, objects: int = 16) -> tuple[Rectangle, ...]:
    """A closed room with a table, things on it and pictures on its walls."""
    rng = np.random.default_rng(seed)
    w, h = 2.5, 2.6
    rectangles = [
        _rectangle(rng, (-w, 0, -w), (2 * w, 0, 0), (0, 0, 2 * w), contrast),
        _rectangle(rng, (-w, -h, -w), (2 * w, 0, 0), (0, 0, 2 * w), 0.1 * contrast),
        _rectangle(rng, (-w, -h, w), (2 * w, 0, 0), (0, h, 0), contrast),
        _rectangle(rng, (w, -h, -w), (-2 * w, 0, 0), (0, h, 0), contrast),
        _rectangle(rng, (w, -h, w), (0, 0, -2 * w), (0, h, 0), contrast),
        _rectangle(rng, (-w, -h, -w), (0, 0, 2 * w), (0, h, 0), contrast),
    ]
    rectangles += _box(rng, (0, 0, 1.7), (1.8, 0.75, 0.9), 0.0, contrast)
    for _ in range(objects):
        place = (rng.uniform(-0.8, 0.8), -0.75, rng.uniform(1.35, 2.05))
        rectangles += _box(rng, place, rng.uniform(0.05, 0.2, 3), rng.uniform(0, 3), contrast)
    for _ in range(objects // 3):
        place = (rng.uniform(-2.2, 2.2), 0, rng.uniform(-2.2, 0.8))
        rectangles += _box(rng, place, rng.uniform(0.15, 0.5, 3), rng.uniform(0, 3), contrast)
    return tuple(rectangles)


# --- camera paths -----------------------------------------------------------------------------------------------------


def look_at(position: np.ndarray, target: np.ndarray, wobble: np.ndarray | None = None) -> np.ndarray:
    """world_from_camera with the camera's y down; ``wobble`` is a rotation vector in the camera's axes."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross((0, 1.0, 0), forward)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    if wobble is not None:
        pose[:3, :3] = pose[:3, :3] @ Rotation.from_rotvec(wobble).as_matrix()
    pose[:3, 3] = position
    return pose


def _shake(t: float, seed: int) -> np.ndarray:
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (4, 3))
    waves = zip((1.1, 2.3, 5.1, 9.7), (1.0, 0.6, 0.3, 0.12), phases, strict=True)
    return sum(a * np.sin(2 * np.pi * f * t + phase) for f, a, phase in waves)


def desk_path(u: float, t: float) -> np.ndarray:
    """Seated: the head moves by about 0.4 m and looks around the table."""
    sine = lambda f, phase=0.0: np.sin(2 * np.pi * f * t + phase)  # noqa: E731
    position = np.array([0.16 * sine(0.21) + 0.05 * sine(0.5, 0.7), -1.24 + 0.05 * sine(0.29), 0.9 + 0.1 * sine(0.17)])
    target = np.array([0.45 * sine(0.26, 0.3), -0.8 + 0.12 * sine(0.19, 0.5), 1.75 + 0.1 * sine(0.4)])
    return look_at(position + 0.003 * _shake(t, 1), target, np.radians(0.5) * _shake(t, 2))


def walk_path(u: float, t: float) -> np.ndarray:
    """An arc of about 3 m around the table, with the bob of steps."""
    angle, radius = np.radians(-62 + 118 * u), 1.55 - 0.35 * np.sin(np.pi * u)
    position = np.array([radius * np.sin(angle), -1.55, 1.75 - radius * np.cos(angle)])
    position += [0.012 * np.sin(2 * np.pi * 0.95 * t), 0.022 * np.sin(2 * np.pi * 1.9 * t), 0]
    target = np.array([0.25 * np.sin(2.5 * t) + 0.3 * np.sin(6.28 * u), -0.95 + 0.18 * np.sin(2 * t), 1.85])
    return look_at(position + 0.004 * _shake(t, 3), target, np.radians(0.5) * _shake(t, 4))


def loop_path(u: float, t: float) -> np.ndarray:
    """Once around the room, looking outwards and about: turns fast, returns to its start."""
    angle = 2 * np.pi * 1.06 * u
    position = np.array([1.1 * np.sin(angle), -1.5 + 0.022 * np.sin(2 * np.pi * 1.9 * t), -0.5 - 0.8 * np.cos(angle)])
    heading = angle + 0.6 * np.sin(2 * np.pi * 0.3 * t)
    target = position + [2 * np.sin(heading), 0.45 - 0.2 * np.sin(1.3 * t), 2 * np.cos(heading)]
    return look_at(position + 0.004 * _shake(t, 5), target, np.radians(0.5) * _shake(t, 6))


def pan_path(u: float, t: float) -> np.ndarray:
    """A tripod: turns, never moves."""
    target = np.array([1.1 * np.sin(2 * np.pi * 0.28 * t), -1.05 + 0.35 * np.sin(2 * np.pi * 0.22 * t), 2.2])
    return look_at(np.array([0.1, -1.4, 0.0]), target)


def still_path(u: float, t: float) -> np.ndarray:
    return pan_path(0.0, 0.4)


def path(function: Callable[[float, float], np.ndarray], frames: int, seconds: float | None = None) -> np.ndarray:
    """(frames, 4, 4); ``seconds`` compresses or stretches the motion."""
    duration = frames / FRAME_RATE if seconds is None else seconds
    return np.stack([function(i / max(1, frames - 1), duration * i / frames) for i in range(frames)])


# --- drawing ----------------------------------------------------------------------------------------------------------


def _between(poses: np.ndarray, at: float) -> np.ndarray:
    """The pose at frame ``at`` (fractional; a little before the first and after the last frame, too)."""
    low = int(np.clip(np.floor(at), 0, len(poses) - 2))
    a, b, share = poses[low], poses[low + 1], at - low
    pose = np.eye(4)
    turn = Rotation.from_matrix(a[:3, :3].T @ b[:3, :3]).as_rotvec()
    pose[:3, :3] = a[:3, :3] @ Rotation.from_rotvec(share * turn).as_matrix()
    pose[:3, 3] = (1 - share) * a[:3, 3] + share * b[:3, 3]
    return pose


def _draw_rectangle(image, inverse_depth, rectangle: Rectangle, pose, focal: float, row: int, size) -> None:
    """Paint where it is nearer than what is there; the buffers begin at image row ``row``."""
    rotation, origin = pose[:3, :3], pose[:3, 3]
    a, b, p = (rotation.T @ v for v in (rectangle.across, rectangle.down, rectangle.corner - origin))
    normal = np.cross(a, b)
    offset = normal @ p
    if offset >= -1e-9:
        normal, offset = -normal, -offset
    if abs(offset) < 1e-9:
        return
    corners = np.stack([p, p + a, p + b, p + a + b])
    if (corners[:, 2] < 0.02).all():
        return
    height, width = image.shape
    x0, y0, x1, y1 = 0, 0, width, height
    if (corners[:, 2] > 0.02).all():
        at = focal * corners[:, :2] / corners[:, 2:] + np.array(size) / 2 - [0, row]
        x0, y0 = np.maximum(np.floor(at.min(0)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(at.max(0)).astype(int) + 1, [width, height])
        if x0 >= x1 or y0 >= y1:
            return
    dx = ((np.arange(x0, x1) + 0.5 - size[0] / 2) / focal).astype(np.float32)[None, :]
    dy = ((np.arange(y0, y1) + row + 0.5 - size[1] / 2) / focal).astype(np.float32)[:, None]
    linear = lambda v: (v[0] * dx + v[1] * dy + v[2]).astype(np.float32)  # noqa: E731
    inverse = linear(normal / offset)
    seen = inverse_depth[y0:y1, x0:x1]
    # the ray's hit, in units of the sides: dual basis of (a, b) in the plane, over inverse depth
    gram = np.linalg.inv(np.array([[a @ a, a @ b], [a @ b, b @ b]]))
    dual = gram @ np.stack([a, b])
    with np.errstate(divide="ignore", invalid="ignore"):
        u = linear(dual[0]) / inverse - np.float32(dual[0] @ p)
        v = linear(dual[1]) / inverse - np.float32(dual[1] @ p)
        nearer = (inverse > np.maximum(seen, 1e-3)) & (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    if not nearer.any():
        return
    h, w = rectangle.texture.shape
    colour = cv2.remap(
        rectangle.texture, np.where(nearer, u * w - 0.5, 0), np.where(nearer, v * h - 0.5, 0), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    image[y0:y1, x0:x1] = np.where(nearer, colour, image[y0:y1, x0:x1])
    inverse_depth[y0:y1, x0:x1] = np.where(nearer, inverse, seen)


def _draw_room(scene: Scene, rectangles, frame: float) -> np.ndarray:
    width, height = scene.size
    bands = 12 if scene.readout else 1
    edges = np.linspace(0, height, bands + 1).astype(int)
    image = np.zeros((height, width), np.uint8)
    for band in range(bands):
        pose = _between(scene.poses, frame + scene.readout * ((band + 0.5) / bands - 0.5))
        part = slice(edges[band], edges[band + 1])
        buffer = np.zeros((edges[band + 1] - edges[band], width), np.float32)
        view = image[part]
        for rectangle in rectangles:
            _draw_rectangle(view, buffer, rectangle, pose, scene.focal_px, edges[band], scene.size)
    return image


def _distort(scene: Scene, image: np.ndarray) -> np.ndarray:
    if not scene.k1:
        return image
    fx, fy, cx, cy = scene.intrinsics
    u, v = np.meshgrid(np.arange(scene.size[0]) + 0.5, np.arange(scene.size[1]) + 0.5)
    distorted = np.stack([(u - cx) / fx, (v - cy) / fy], -1)
    plain = distorted.copy()
    for _ in range(20):
        plain = distorted / (1 + scene.k1 * (plain**2).sum(-1, keepdims=True))
    at = (plain * [fx, fy] + [cx - 0.5, cy - 0.5]).astype(np.float32)
    return cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


# --- hands ------------------------------------------------------------------------------------------------------------

# a flat right hand in metres, wrist at the origin, fingers along -y, OpenPose order
_FINGERS = (
    (-0.035, -0.03, -0.55),
    (-0.028, -0.09, -0.18),
    (-0.006, -0.092, 0.0),
    (0.015, -0.087, 0.12),
    (0.034, -0.077, 0.3),
)
_LENGTHS = (0.065, 0.075, 0.085, 0.078, 0.06)


def _flat_hand() -> np.ndarray:
    points = [(0.0, 0.0, 0.0)]
    for (x, y, lean), length in zip(_FINGERS, _LENGTHS, strict=True):
        step = length / 3 * np.array([np.sin(lean), -np.cos(lean), 0])
        points += [tuple(np.array([x, y, 0]) + k * step) for k in range(4)]
    return np.array(points)


def hand_points(frame: int, side: str, count: int) -> np.ndarray:
    """(21, 3) camera frame: carried along with the camera, moving about by some 10 cm."""
    sign, t = (1 if side == "right" else -1), frame / FRAME_RATE
    points = _flat_hand() * [sign, 1, 1]
    turn = Rotation.from_euler("zx", [0.35 * sign + 0.25 * np.sin(1.7 * t), -0.5 + 0.3 * np.sin(1.9 * t + sign)])
    place = [
        sign * 0.115 + 0.05 * np.sin(2.3 * t + sign), 0.13 + 0.045 * np.sin(1.95 * t + 2 * sign),
        0.38 + 0.06 * np.sin(1.45 * t + sign),
    ]  # fmt: skip
    return turn.apply(points) + place


def _project(points: np.ndarray, scene: Scene) -> np.ndarray:
    return scene.focal_px * points[:, :2] / points[:, 2:] + np.array(scene.size) / 2


def hand_tracks(scene: Scene) -> list[HandTrack]:
    """Exact tracks of the drawn hands (none when the scene has no hands)."""
    if not scene.hands:
        return []
    frames = np.arange(1, len(scene.poses) + 1)
    tracks = []
    for side in ("left", "right"):
        metres = np.stack([hand_points(i, side, len(frames)) for i in range(len(frames))])
        pixels = np.stack([_project(points, scene) for points in metres])
        odds = 20.0 if side == "right" else -20.0
        covariance = np.tile(np.eye(2), (len(frames), 21, 1, 1))
        tracks.append(HandTrack(side, odds, frames, pixels, covariance, metres, np.ones(len(frames))))
    return tracks


def _draw_hands(scene: Scene, image: np.ndarray, frame: int, skin: np.ndarray) -> np.ndarray:
    for side in ("left", "right"):
        points = hand_points(frame, side, len(scene.poses))
        mask = np.zeros(image.shape, np.uint8)
        width_px = scene.focal_px / points[0, 2]
        at = np.round(_project(points, scene)).astype(int)
        elbow = points[0] + 0.3 * (points[0] - points[9]) / np.linalg.norm(points[0] - points[9])
        elbow[2] = max(elbow[2], 0.15)
        cv2.line(mask, at[0].tolist(), np.round(_project(elbow[None], scene)[0]).astype(int).tolist(), 255,
                 int(0.07 * width_px))  # fmt: skip
        cv2.fillConvexPoly(mask, cv2.convexHull(at[[0, 1, 5, 9, 13, 17]].astype(np.int32)), 255)
        for finger in range(5):
            chain = (
                at[[0, *range(1 + 4 * finger, 5 + 4 * finger)]] if finger == 0 else at[1 + 4 * finger : 5 + 4 * finger]
            )
            cv2.polylines(mask, [chain.astype(np.int32).reshape(-1, 1, 2)], False, 255, int(0.02 * width_px))
        flat = ((_flat_hand()[[0, 5, 17], :2] * [1 if side == "right" else -1, 1] + 0.4) * 1000).astype(np.float32)
        warp = cv2.getAffineTransform(flat, _project(points[[0, 5, 17]], scene).astype(np.float32))
        moving = cv2.warpAffine(skin, warp, scene.size, borderMode=cv2.BORDER_REFLECT)
        image = np.where(mask > 0, moving, image)
    return image


def draw(scene: Scene) -> Iterator[np.ndarray]:
    """(h, w, 3) uint8 frames."""
    rng = np.random.default_rng(scene.seed)
    skin = texture(np.random.default_rng(99), 2.5, 2.5, 0.7)
    for frame in range(len(scene.poses)):
        rectangles = scene.rectangles
        for start, other in scene.cuts:
            rectangles = other if frame >= start else rectangles
        moments = frame + scene.blur * (np.arange(3) / 3 - 1 / 3) if scene.blur else np.array([frame])
        image = np.mean([_draw_room(scene, rectangles, moment) for moment in moments], axis=0)
        image = _distort(scene, image)
        if scene.hands:
            image = _draw_hands(scene, image, frame, skin)
        noisy = image + rng.normal(0, scene.noise, image.shape)
        yield cv2.cvtColor(np.clip(noisy, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)


class _Drawn:
    """``video.clip.FrameSource`` of images in memory."""

    def __init__(self, images: list[np.ndarray]) -> None:
        self.images = images

    def forwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        return ((i, self.images[i]) for i in range(start, stop))

    def backwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        return ((i, self.images[i]) for i in reversed(range(start, stop)))


def clip_of(images: list[np.ndarray]) -> Clip:
    height, width = images[0].shape[:2]
    count = len(images)
    return Clip(Path("drawn"), (width, height), Fraction(FRAME_RATE), 1, count, count, (), _Drawn(images))


def named(name: str, size: tuple[int, int] = (640, 360), frames: int | None = None, **changes: object) -> Scene:
    """One of the suite's scenes; ``changes`` are fields of ``Scene``."""
    function, default, contrast = {
        "desk": (desk_path, 120, 0.5), "walk": (walk_path, 120, 0.5), "loop": (loop_path, 240, 0.5),
        "plain": (desk_path, 90, 0.06), "pan": (pan_path, 60, 0.5), "still": (still_path, 60, 0.5),
    }[name]  # fmt: skip
    count = frames or default
    fields = {"size": size, "focal_px": 2 / 3 * size[0], "poses": path(function, count, default / FRAME_RATE)}
    if "rectangles" not in changes:
        fields["rectangles"] = room(contrast=contrast)
    return Scene(**{**fields, **changes})
