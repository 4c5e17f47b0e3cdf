"""Lens distortion: the models of Blender's movie clips, evaluated both ways, in NumPy alone.

Points are in focal lengths, as seen from the principal point, x right, y down; ``ideal`` is what a pinhole sees,
``bent`` what the lens makes of it; r^2 = x^2 + y^2 of the point that the formula starts from.

- POLYNOMIAL k1 k2 k3: ``bent = ideal (1 + k1 r^2 + k2 r^4 + k3 r^6)``.
- BROWN k1 k2 k3 k4 p1 p2: the same to r^8, plus ``2 p1 x y + p2 (r^2 + 2 x^2)`` in x and
  ``p1 (r^2 + 2 y^2) + 2 p2 x y`` in y (Brown 1966; p1 and p2 in OpenCV's order, which Blender swaps).
- DIVISION k1 k2: ``bent = ideal / (1 + k1 r^2 + k2 r^4)``.
- NUKE k1 k2 p1 p2: ``ideal = bent / (1 + k1 r^2 + k2 r^4 + (p1 y^2, p2 x^2))``. Blender counts its
  coefficients in halves of the image's longer side; here they are counted in focal lengths.

Missing coefficients are zero. ``tests/addon/test_camera_lens.py`` measures all of them against Blender's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

COEFFICIENTS = {"POLYNOMIAL": 3, "BROWN": 6, "DIVISION": 2, "NUKE": 4}
"""How many numbers each model takes."""

_STEP, _ITERATIONS, _CONVERGED = 1e-6, 30, 1e-12


def bend(ideal: np.ndarray, coefficients: Sequence[float], model: str = "POLYNOMIAL") -> np.ndarray:
    """(..., 2) ideal points, in focal lengths, to where the lens puts them."""
    formula = _formula(coefficients, model)
    return _inverse(formula, ideal) if model == "NUKE" else formula(np.asarray(ideal, float))


def straighten(bent: np.ndarray, coefficients: Sequence[float], model: str = "POLYNOMIAL") -> np.ndarray:
    """(..., 2) points of the lens, in focal lengths, to where a pinhole would see them; undoes ``bend``.

    Beyond the radius where a polynomial turns back there is no answer; the nearest that Newton's method finds is given.
    """
    formula = _formula(coefficients, model)
    return formula(np.asarray(bent, float)) if model == "NUKE" else _inverse(formula, bent)


def distort(
    points_px: np.ndarray, intrinsics: np.ndarray, coefficients: Sequence[float], model: str = "POLYNOMIAL"
) -> np.ndarray:
    """(..., 2) px of a pinhole with ``intrinsics`` (4,) to px of the clip."""
    return _in_px(bend, points_px, intrinsics, coefficients, model)


def undistort(
    points_px: np.ndarray, intrinsics: np.ndarray, coefficients: Sequence[float], model: str = "POLYNOMIAL"
) -> np.ndarray:
    """(..., 2) px of the clip to where the same rays fall in a lens without distortion.

    Whoever compares pixels with ``cameras.project`` must undistort them first.
    """
    return _in_px(straighten, points_px, intrinsics, coefficients, model)


def undistort_with_covariance(
    points_px: np.ndarray,
    covariance_px: np.ndarray,
    intrinsics: np.ndarray,
    coefficients: Sequence[float],
    model: str = "POLYNOMIAL",
) -> tuple[np.ndarray, np.ndarray]:
    """``undistort`` of (..., 2) px and of their (..., 2, 2) covariance, to first order."""
    if not np.any(coefficients):
        return np.asarray(points_px, float), np.asarray(covariance_px, float)
    steps = 0.5 * np.eye(2)
    sides = [
        undistort(points_px + step, intrinsics, coefficients, model)
        - undistort(points_px - step, intrinsics, coefficients, model)
        for step in steps
    ]
    jacobian = np.stack(sides, axis=-1)
    ideal = undistort(points_px, intrinsics, coefficients, model)
    return ideal, jacobian @ covariance_px @ np.swapaxes(jacobian, -1, -2)


def for_focal(coefficients: Sequence[float], model: str, ratio: float) -> np.ndarray:
    """Coefficients that bend the same pixels in the same way when the focal length is multiplied by ``ratio``."""
    powers = {
        "POLYNOMIAL": (2, 4, 6),
        "BROWN": (2, 4, 6, 8, 1, 1),
        "DIVISION": (2, 4),
        "NUKE": (2, 4, 2, 2),
    }[model]
    return np.array([value * ratio**power for value, power in zip(coefficients, powers, strict=False)])


def _in_px(change: Callable, points_px, intrinsics: np.ndarray, coefficients: Sequence[float], model: str):
    points_px = np.asarray(points_px, float)
    if not np.any(coefficients):
        return points_px
    return change((points_px - intrinsics[2:]) / intrinsics[:2], coefficients, model) * intrinsics[:2] + intrinsics[2:]


def _formula(coefficients: Sequence[float], model: str) -> Callable[[np.ndarray], np.ndarray]:
    """The direction in which the model is written down."""
    given = np.zeros(COEFFICIENTS[model])
    given[: len(coefficients)] = coefficients
    return {"POLYNOMIAL": _brown, "BROWN": _brown, "DIVISION": _division, "NUKE": _nuke}[model](given)


def _brown(given: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    radial, (p1, p2) = given[:4], given[4:] if len(given) == 6 else (0.0, 0.0)

    def formula(points: np.ndarray) -> np.ndarray:
        x, y = points[..., 0], points[..., 1]
        r2 = x * x + y * y
        factor = 1 + sum(k * r2 ** (n + 1) for n, k in enumerate(radial))
        across = 2 * x * y
        right = x * factor + p1 * across + p2 * (r2 + 2 * x * x)
        down = y * factor + p1 * (r2 + 2 * y * y) + p2 * across
        return np.stack([right, down], axis=-1)

    return formula


def _division(given: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    k1, k2 = given

    def formula(points: np.ndarray) -> np.ndarray:
        r2 = (points**2).sum(axis=-1, keepdims=True)
        return points / (1 + k1 * r2 + k2 * r2 * r2)

    return formula


def _nuke(given: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    k1, k2, *across = given

    def formula(points: np.ndarray) -> np.ndarray:
        squares = points**2
        r2 = squares.sum(axis=-1, keepdims=True)
        return points / (1 + k1 * r2 + k2 * r2 * r2 + across * squares[..., ::-1])

    return formula


def _inverse(formula: Callable[[np.ndarray], np.ndarray], wanted: np.ndarray) -> np.ndarray:
    """Newton's method from ``wanted``, in steps of at most a quarter of the point's radius; the best one counts."""
    wanted = np.asarray(wanted, float)
    limit = 0.25 * np.linalg.norm(wanted, axis=-1, keepdims=True) + _STEP
    found, best, least = wanted.copy(), wanted.copy(), np.full(limit.shape, np.inf)
    for _ in range(_ITERATIONS):
        error = wanted - formula(found)
        length = np.linalg.norm(error, axis=-1, keepdims=True)
        best, least = np.where(length < least, found, best), np.fmin(length, least)
        if not (length > _CONVERGED).any():
            break
        step = _newton_step(formula, found, error)
        found = found + step * np.minimum(1.0, limit / np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), _STEP))
    return best


def _newton_step(formula: Callable[[np.ndarray], np.ndarray], at: np.ndarray, error: np.ndarray) -> np.ndarray:
    sides = [(formula(at + step) - formula(at - step)) / (2 * _STEP) for step in _STEP * np.eye(2)]
    (a, c), (b, d) = (np.moveaxis(side, -1, 0) for side in sides)
    determinant = a * d - b * c
    determinant = np.where(np.abs(determinant) < 1e-3, 1e-3, determinant)
    ex, ey = np.moveaxis(error, -1, 0)
    return np.stack([d * ex - b * ey, a * ey - c * ex], axis=-1) / determinant[..., None]
