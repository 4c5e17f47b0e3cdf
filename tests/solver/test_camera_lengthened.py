"""A clip played there and back: the right pictures, and hands that stay on them."""

import dataclasses

import numpy as np

from solver.camera.lengthened import there_and_back

from . import camera_scenes


def test_pictures_and_hands_go_there_and_back():
    images = [np.full((4, 6, 3), shade, np.uint8) for shade in range(5)]
    scene = camera_scenes.named("still", (60, 40), 5)
    hand = camera_scenes.hand_tracks(scene)[0]
    kept = [0, 1, 3, 4]  # the hand is missing in the third frame
    hand = dataclasses.replace(
        hand, frames=hand.frames[kept], landmarks_px=hand.landmarks_px[kept], covariance_px=hand.covariance_px[kept],
        landmarks_m=hand.landmarks_m[kept], presence=hand.presence[kept],
    )  # fmt: skip
    cut = camera_scenes.clip_of(images).between(2, 5)
    clip, (longer,) = there_and_back(cut, [hand], 9)
    shown = [1, 2, 3, 4, 3, 2, 1, 2, 3]
    assert [(f.number, int(f.image[0, 0, 0])) for f in clip.frames()] == list(zip(range(1, 10), shown, strict=True))
    assert [f.number for f in clip.frames(5, 7)] == [5, 6, 7]
    back = [(f.number, int(f.image[0, 0, 0])) for f in clip.backwards(2, 8)]
    assert back == [(number, shown[number - 1]) for number in range(8, 1, -1)]
    assert longer.frames.tolist() == [1, 3, 4, 5, 7, 9]
    there = np.array(shown)[longer.frames - 1]
    assert (longer.landmarks_px == hand.landmarks_px[np.searchsorted(hand.frames, there + 1)]).all()
