"""Frames of a clip with the true and the predicted hands drawn over them."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np

from ..camera.cameras import project
from ..video import open_clip
from .prediction import Prediction
from .truth import Truth

_FINGERS = [[0, *range(first, first + 4)] for first in (1, 5, 9, 13, 17)]
_TRUE, _PREDICTED = (90, 220, 90), (220, 60, 230)
_WIDTH = 480


def strip(clip: Path, truth: Truth, prediction: Prediction, count: int = 6) -> str:
    """An HTML image: ``count`` frames from the whole clip, truth in green, prediction in violet."""
    wanted = set(truth.frames[np.linspace(0, len(truth.frames) - 1, count).astype(int)].tolist())
    pictures = [
        _drawn(image, number, truth, prediction) for number, image in open_clip(clip).frames() if number in wanted
    ]
    half = (len(pictures) + 1) // 2
    pictures += [np.zeros_like(pictures[0])] * (2 * half - len(pictures))
    sheet = np.concatenate([np.concatenate(pictures[:half], axis=1), np.concatenate(pictures[half:], axis=1)])
    _, encoded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 78])
    return f'<img class="strip" src="data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}">'


def _drawn(image: np.ndarray, number: int, truth: Truth, prediction: Prediction) -> np.ndarray:
    """BGR picture of ``_WIDTH``; ``image`` (H, W, 3) RGB as the clip gives it."""
    row = int(np.searchsorted(truth.frames, number))
    scale = _WIDTH / image.shape[1]
    picture = cv2.cvtColor(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    for hand in range(2):
        _bones(picture, truth.keypoints_px[row, hand] * scale, _TRUE)
        pose = prediction.world_from_camera[row]
        local = (prediction.keypoints[row, hand] - pose[:3, 3]) @ pose[:3, :3]
        local = np.where(local[:, 2:] > 0.01, local, np.nan)
        _bones(picture, project(local, prediction.intrinsics) * scale, _PREDICTED)
    cv2.putText(picture, str(number), (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def _bones(picture: np.ndarray, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    if not np.isfinite(points).all() or np.abs(points).max() > 1e5:
        return
    for finger in _FINGERS:
        corners = np.round(points[finger] * 8).astype(np.int32)
        cv2.polylines(picture, [corners[:, None]], False, colour, 1, cv2.LINE_AA, shift=3)
