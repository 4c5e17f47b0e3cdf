"""Outlines of the model and of a mask, in a crop."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .crop import SIZE
from .raster import NOTHING, facing, rasterise
from .surface import Surface

# what is told of the outline's outside and inside is looked up this far from it, crop pixels
_OUTSIDE, _INSIDE = 1.5, 1.0
_RIM_M = 0.018  # so near the wrist's rim the model ends and the arm goes on


@dataclass(frozen=True)
class Posed:
    """One hand of a frame: its surface, its vertices in the camera's frame (V, 3), metres."""

    surface: Surface
    vertices: np.ndarray


@dataclass(frozen=True)
class View:
    """Hands of one frame in a crop.

    Attributes:
        owner: (SIZE, SIZE) index of the hand in front, NOTHING where there is none.
        points: per hand (V, 2) projected vertices, crop pixels.
        front: per hand (F,) which faces look at the camera.
        nearness: (SIZE, SIZE) inverse depth of what is in front, 0 where nothing is.
    """

    owner: np.ndarray
    points: tuple[np.ndarray, ...]
    front: tuple[np.ndarray, ...]
    nearness: np.ndarray


@dataclass(frozen=True)
class Outline:
    """Points on an outline with unit normals to the outside, crop pixels.

    Attributes:
        points, normals: (n, 2). lengths: (n,) how much of the outline each stands for.
        edges: (n,) the surface's edges, for a model's outline.
    """

    points: np.ndarray
    normals: np.ndarray
    lengths: np.ndarray
    edges: np.ndarray


def look(hands: list[Posed], points: list[np.ndarray]) -> View:
    """Rasterise hands whose vertices project to ``points`` (crop pixels)."""
    corners = [p[hand.surface.faces] for hand, p in zip(hands, points, strict=True)]
    nearness = [(1 / hand.vertices[:, 2])[hand.surface.faces] for hand in hands]
    index, near = rasterise(np.concatenate(corners), np.concatenate(nearness), (SIZE, SIZE))
    owners = np.repeat(np.arange(len(hands)), [len(c) for c in corners])
    return View(
        np.where(index == NOTHING, NOTHING, owners[index]), tuple(points), tuple(facing(c) for c in corners), near
    )


def model_outline(surface: Surface, view: View, hand: int) -> Outline:
    """The occluding contour of one hand: edges between a face that is seen and one that is not, against the background.

    Left out: what another hand hides or lies behind, folds of the hand over itself, the wrist's rim, what is outside.
    """
    points, front = view.points[hand], view.front[hand]
    seen = front[surface.edge_faces]
    candidates = np.flatnonzero((seen[:, 0] != seen[:, 1]) & (surface.edge_rim_distance > _RIM_M))
    ends = points[surface.edges[candidates]]
    middle, along = ends.mean(1), ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None]
    face = np.where(seen[candidates, 0], surface.edge_faces[candidates, 0], surface.edge_faces[candidates, 1])
    inward = points[surface.faces[face]].mean(1) - middle
    normal *= -np.where((normal * inward).sum(1) < 0, -1.0, 1.0)[:, None]
    kept = (_at(view.owner, middle + _OUTSIDE * normal, hand) == NOTHING) & (
        _at(view.owner, middle - _INSIDE * normal, NOTHING) == hand
    )
    kept &= length > 1e-6
    return Outline(middle[kept], normal[kept], length[kept], candidates[kept])


def _at(image: np.ndarray, points: np.ndarray, otherwise: int) -> np.ndarray:
    """The image at points; ``otherwise`` beyond it."""
    x, y = np.floor(points).astype(int).T
    known = (x >= 1) & (y >= 1) & (x < image.shape[1] - 1) & (y < image.shape[0] - 1)
    return np.where(known, image[np.clip(y, 0, image.shape[0] - 1), np.clip(x, 0, image.shape[1] - 1)], otherwise)


def signed_distance(inside: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 of a mask: distance to its outline, positive outside, in pixels, and its gradient (x, y)."""
    mask = inside.astype(np.uint8)
    outer, inner = (cv2.distanceTransform(m, cv2.DIST_L2, 5) for m in (1 - mask, mask))
    distance = cv2.GaussianBlur(np.where(inside, 0.5 - inner, outer - 0.5).astype(np.float32), (0, 0), 0.8)
    slope = [cv2.Sobel(distance, cv2.CV_32F, *axis, ksize=3) / 8 for axis in ((1, 0), (0, 1))]
    return np.stack([distance, *slope], axis=-1)


def sample(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, c) of an image (h, w, c) at points (n, 2), bilinear, held at its border."""
    x = np.clip(points[:, 0] - 0.5, 0, image.shape[1] - 1.001)
    y = np.clip(points[:, 1] - 0.5, 0, image.shape[0] - 1.001)
    left, top = x.astype(int), y.astype(int)
    fx, fy = (x - left)[:, None], (y - top)[:, None]
    upper = image[top, left] * (1 - fx) + image[top, left + 1] * fx
    lower = image[top + 1, left] * (1 - fx) + image[top + 1, left + 1] * fx
    return upper * (1 - fy) + lower * fy


def mask_outline(inside: np.ndarray, distance: np.ndarray, step: int = 2) -> Outline:
    """Points along the outlines of a mask, holes included; normals from its signed distance."""
    loops, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    loops = [loop[::step, 0] for loop in loops if len(loop) >= 8]
    points = np.concatenate([np.zeros((0, 2)), *loops]) + 0.5
    points = points[((points > 2) & (points < np.array(inside.shape[::-1]) - 2)).all(1)]
    there = sample(distance, points) if len(points) else np.zeros((0, 3))
    size = np.linalg.norm(there[:, 1:], axis=1)
    good = size > 0.3
    normals = there[good, 1:] / size[good, None]
    # the outermost pixels' centres lie half a pixel within the outline
    points = points[good] - there[good, :1] * normals
    return Outline(points, normals, np.full(len(points), float(step)), np.zeros(len(points), int))
