"""Paints shaded meshes over an image, on the CPU, with nothing but OpenCV's polygon fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ..camera.cameras import project

NEAR_M = 0.02
_SUBPIXEL_BITS = 4
_LIGHT = np.array([-0.35, -0.55, -0.76])  # from the camera's upper left, OpenCV axes


@dataclass(frozen=True)
class Surface:
    """A triangle mesh in the camera's frame.

    Attributes:
        vertices: (V, 3) metres, camera x right, y down, z forward.
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
        colour: (3,) RGB in 0..255.
        opacity: 0..1 over the plate.
    """

    vertices: np.ndarray
    faces: np.ndarray
    colour: tuple[int, int, int]
    opacity: float = 0.75


Bend = Callable[[np.ndarray], np.ndarray]


def paint(image: np.ndarray, surfaces: list[Surface], intrinsics: np.ndarray, bend: Bend = np.asarray) -> np.ndarray:
    """A copy of ``image`` ((h, w, 3) uint8 RGB) with the surfaces over it, nearest on top (painter's algorithm).

    ``bend`` takes px (..., 2) of the pinhole to px of the image, whose lens may distort.
    """
    canvas = image.copy()
    opacity = np.zeros(image.shape[:2], np.uint8)
    depth, triangles, colours, opacities = _collect(surfaces, intrinsics, bend)
    for index in np.argsort(-depth):
        cv2.fillConvexPoly(canvas, triangles[index], colours[index], cv2.LINE_8, _SUBPIXEL_BITS)
        cv2.fillConvexPoly(opacity, triangles[index], opacities[index], cv2.LINE_8, _SUBPIXEL_BITS)
    weight = opacity[..., None].astype(np.float32) / 255
    return np.rint(weight * canvas + (1 - weight) * image).astype(np.uint8)


def silhouette(surface: Surface, intrinsics: np.ndarray, size: tuple[int, int], bend: Bend = np.asarray) -> np.ndarray:
    """(height, width) bool: the pixels that one surface covers; ``size`` is (width, height)."""
    mask = np.zeros(size[::-1], np.uint8)
    for triangle in _collect([surface], intrinsics, bend)[1]:
        cv2.fillConvexPoly(mask, triangle, 1, cv2.LINE_8, _SUBPIXEL_BITS)
    return mask.astype(bool)


def trace(image: np.ndarray, surfaces: list[Surface], intrinsics: np.ndarray, bend: Bend = np.asarray) -> np.ndarray:
    """A copy of ``image`` with the outline of each surface over it, inner outlines included; arguments as ``paint``."""
    canvas = image.copy()
    width = max(1, round(image.shape[0] / 540))
    for surface in surfaces:
        covered = silhouette(surface, intrinsics, image.shape[1::-1], bend).astype(np.uint8)
        loops, _ = cv2.findContours(covered, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.polylines(canvas, loops, True, surface.colour, width, cv2.LINE_AA)
    return canvas


def _collect(surfaces: list[Surface], intrinsics: np.ndarray, bend: Bend = np.asarray):
    """Depth (n,), fixed-point corners (n, 3, 2), colours and opacities of all faces that look at the camera."""
    depth, triangles, colours, opacities = [np.zeros(0)], [np.zeros((0, 3, 2), np.int32)], [], []
    for surface in surfaces:
        corners = surface.vertices[surface.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        seen = (corners[..., 2].min(axis=1) > NEAR_M) & (np.einsum("fa,fa->f", normals, corners.mean(axis=1)) < 0)
        corners, normals = corners[seen], normals[seen]
        depth.append(corners[..., 2].mean(axis=1))
        triangles.append(_fixed_point(bend(project(corners, intrinsics))))
        colours += _shade(normals, surface.colour)
        opacities += [round(255 * surface.opacity)] * len(corners)
    return np.concatenate(depth), np.concatenate(triangles), colours, opacities


def _fixed_point(pixels: np.ndarray) -> np.ndarray:
    # OpenCV puts a pixel's centre at the integer, this project at the half
    return np.rint(np.clip(pixels - 0.5, -1e5, 1e5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _shade(normals: np.ndarray, colour: tuple[int, int, int]) -> list[tuple[float, ...]]:
    unit = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = 0.35 + 0.65 * np.clip(unit @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    return [tuple(row) for row in (light[:, None] * np.array(colour, float)).tolist()]
