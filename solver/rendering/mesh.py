"""A hand's mesh as the optimiser's variables carry it: all its vertices, and how some of them move in a crop."""

from __future__ import annotations

import numpy as np

from ..initialise.kinematics import joint_rotations, pose_landmarks
from ..optimise.evaluation import Evaluation
from ..optimise.skin import SkinPoints, along, skinned
from ..silhouette.surface import Surface


def vertex_points(surface: Surface) -> SkinPoints:
    """All vertices of a surface."""
    model = surface.model
    rest = np.concatenate([model.v_template[..., None], model.shapedirs], axis=-1)
    return SkinPoints(rest, model.posedirs, model.weights)


def pose_blend(at: Evaluation, index: int, skin: SkinPoints) -> np.ndarray:
    """(n, V, 3) pose blend shapes of all hand-frames of track ``index`` as they are posed now, metres."""
    track = at.layout.tracks[index]
    rotations = joint_rotations(track.bare, at.hands(track.hands))
    features = (rotations[:, 1:] - np.eye(3)).reshape(len(rotations), -1)
    return np.moveaxis(skin.blend @ features.T, -1, 0).astype(np.float32)  # there are thousands of them


def world_vertices(at: Evaluation, index: int, hands: np.ndarray, skin: SkinPoints, blend: np.ndarray) -> np.ndarray:
    """(n, V, 3) skinned vertices of some hand-frames of track ``index``, ``blend`` (n, V, 3) taken as given."""
    track = at.layout.tracks[index]
    skeleton, betas = track.bare, at.betas(track)
    posed = pose_landmarks(skeleton, betas, at.hands(hands))
    bones = posed.origins - (posed.frames @ skeleton.at(betas)[0][..., None])[..., 0]
    carried = np.concatenate([posed.frames, bones[..., None]], axis=-1).reshape(len(hands), 16, 12)
    mixed = (skin.weights @ carried).reshape(len(hands), -1, 3, 4)
    rest = skin.rest @ np.concatenate([[1.0], betas]) + blend
    return (mixed[..., :3] @ rest[..., None])[..., 0] + mixed[..., 3]


def vertex_slopes(
    at: Evaluation,
    index: int,
    hand: int,
    skin: SkinPoints,
    blend: np.ndarray,
    vertices: np.ndarray,
    by_world: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How chosen vertices of one hand-frame move in a crop.

    Args:
        blend: (V, 3). vertices: (r,). by_world: (r, 2, 3) derivative of their places in the crop by those in the world.

    Returns:
        (r, 2, d) by the hand's columns, (r, 2, 10) by betas.
    """
    track, r = at.layout.tracks[index], len(vertices)
    chosen = np.tile(vertices, 2)[None]
    skin_at = skinned(skin, track.bare, at.betas(track), at.hands(np.array([hand])), chosen, blend[chosen])
    directions = by_world.swapaxes(0, 1).reshape(1, 2 * r, 3)
    by_hand, by_shape = along(skin, track.bare, skin_at, directions)
    return by_hand.reshape(2, r, -1).swapaxes(0, 1), by_shape.reshape(2, r, -1).swapaxes(0, 1)
