"""Points held to how they first looked."""

import cv2
import numpy as np

from solver.camera.anchors import Anchors, smoothed
from solver.camera.tracks import Follower

from . import camera_scenes

_STARTS = np.array([[120.0, 90.0], [200.0, 130.0], [160.0, 150.0]], np.float32)


def _picture() -> np.ndarray:
    picture = camera_scenes.texture(np.random.default_rng(0), 1.0, 0.6)
    picture = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)


def _warp(frame: int) -> np.ndarray:
    """Slowly turned, made larger and shifted."""
    turn = cv2.getRotationMatrix2D((160.0, 120.0), 0.4 * frame, 1 + 0.004 * frame)
    turn[:, 2] += 0.3 * frame
    return turn


def _moved(frame: int) -> np.ndarray:
    warp = _warp(frame)
    return _STARTS @ warp[:, :2].T + warp[:, 2]


def _shown(frame: int) -> np.ndarray:
    return smoothed(cv2.warpAffine(_picture(), _warp(frame), (320, 240), borderMode=cv2.BORDER_REFLECT))


def test_steps_that_are_wrong_do_not_add_up():
    rng = np.random.default_rng(1)
    anchors, points = Anchors.at(_shown(0), _STARTS), _STARTS
    for frame in range(1, 31):
        step = _moved(frame) - _moved(frame - 1) + rng.normal(0, 0.15, points.shape)
        anchors, points = anchors.held(_shown(frame), (points + step + [0.1, 0.0]).astype(np.float32))
    assert np.linalg.norm(points - _moved(30), axis=1).max() < 0.15  # 3 px without anchors
    assert not anchors.missed.any()


def test_what_looks_otherwise_stays_where_it_is_and_is_looked_at_anew():
    anchors = Anchors.at(_shown(0), _STARTS)
    other = _shown(0)[::-1, ::-1].copy()
    for _ in range(6):
        anchors, points = anchors.held(other, _STARTS)
        assert (points == _STARTS).all()
    assert not anchors.missed.any()
    _, points = anchors.held(other, _STARTS + np.float32(0.5))
    assert np.linalg.norm(points - _STARTS, axis=1).max() < 0.15


def test_no_points_and_those_without_a_look_are_no_trouble():
    none, points = Anchors.later(0).held(_shown(0), np.zeros((0, 2), np.float32))
    assert len(points) == len(none.looks) == 0
    anchors, points = Anchors.later(3).held(_shown(0), _STARTS)
    assert (points == _STARTS).all() and np.allclose(np.linalg.norm(anchors.looks, axis=1), 1, atol=1e-3)


def test_a_flash_does_not_hold_again_what_a_fast_turn_let_go():
    follower, nothing = Follower((320, 240)), np.zeros((240, 320), np.uint8)
    turned = [np.roll(_picture(), shift, axis=1) for shift in (0, 2, 20)]
    for gray in turned:
        follower.step(gray, nothing, nothing)
    halt = follower.halt()
    assert follower.fast and not halt.steady
    follower.restart(turned[-1], nothing)
    assert follower.halt().steady
    follower.resume(halt, 1)
    assert not follower.halt().steady
