"""Where up is, from straight edges in the picture and from how cameras are held."""

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from solver.camera import segments, upright

_LENS = np.array([430.0, 430, 320, 180])


def _held(pitch_deg: float, roll_deg: float = 0.0, count: int = 24) -> np.ndarray:
    """(count, 3, 3) in a world whose y is down: looking down by the pitch, turning about."""
    turns = np.linspace(-25, 25, count)
    return np.stack([Rotation.from_euler("YXZ", [t, -pitch_deg, roll_deg], degrees=True).as_matrix() for t in turns])


def _room(rotations: np.ndarray, rng: np.random.Generator, axes: np.ndarray) -> segments.Segments:
    """Edges along random ``axes`` (3, k) as 4 of these cameras see them, within half a pixel."""
    rows, ends = [], []
    for row in np.linspace(0, len(rotations) - 1, 4).astype(int):
        for _ in range(60):
            middle = rotations[row] @ (rng.uniform([-0.7, -0.4, 1], [0.7, 0.4, 1]) * rng.uniform(1, 3))
            along = axes[:, rng.integers(axes.shape[1])]
            edge = (np.stack([middle - 0.15 * along, middle + 0.15 * along])) @ rotations[row]
            rows.append(row)
            ends.append(edge[:, :2] / edge[:, 2:] * _LENS[:2] + _LENS[2:] + rng.normal(0, 0.4, (2, 2)))
    return segments.Segments(np.array(rows), np.array(ends))


def _found(rotations: np.ndarray, seen: segments.Segments, plane: np.ndarray | None = None) -> upright.Down:
    return upright.find_down(rotations, upright.Lines(*segments.normals(seen, rotations, _LENS, np.zeros(2))), plane)


def _off_deg(down: upright.Down, true: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(down.direction @ true, -1, 1))))


def test_edges_of_a_room_tell_up_however_the_camera_is_held():
    rng = np.random.default_rng(0)
    room = Rotation.from_euler("Y", 30, degrees=True).as_matrix()
    for pitch, roll in ((45, 0), (5, 10), (-20, -8)):
        rotations = _held(pitch, roll)
        world = Rotation.from_rotvec([0.2, 1.0, -0.4]).as_matrix()
        down = _found(world @ rotations, _room(rotations, rng, room))
        assert _off_deg(down, world[:, 1]) < 0.7
        assert down.sigma_rad < np.radians(5)


def test_most_edges_along_one_level_direction_do_not_make_it_the_upright_one():
    rng = np.random.default_rng(4)
    rotations = _held(35)
    room = Rotation.from_euler("Y", 30, degrees=True).as_matrix()
    planks = room[:, [2, 2, 2, 2, 0, 1]]
    assert _off_deg(_found(rotations, _room(rotations, rng, planks)), np.array([0, 1.0, 0])) < 1


def test_edges_that_run_anyhow_leave_it_at_the_way_cameras_are_held():
    rng = np.random.default_rng(1)
    rotations = _held(20)
    anyhow = Rotation.random(200, random_state=2).as_matrix()[..., 0].T
    down = _found(rotations, _room(rotations, rng, anyhow))
    assert down.sigma_rad > np.radians(15)  # said to be a guess
    assert _off_deg(down, np.array([0, 1.0, 0])) < np.degrees(down.sigma_rad)


def test_segments_keep_clear_of_the_mask_and_lie_on_pixel_centres():
    picture = np.full((360, 640), 90, np.uint8)
    cv2.rectangle(picture, (400, 100), (639, 359), 200, -1)
    mask = np.zeros_like(picture)
    mask[:, 500:] = 255
    found = segments.find(7, picture, mask)
    assert (found.rows == 7).all()
    upright_ones = found.ends_px[np.ptp(found.ends_px[..., 0], axis=1) < 2]
    assert len(upright_ones) == 1
    # the edge lies between the centres of columns 399 and 400
    assert np.abs(upright_ones[0, :, 0] - 400).max() < 0.3
    assert found.ends_px[..., 0].max() < 500


def test_a_turned_world_stands_upright():
    for down in ([0, 1.0, 0], [0, -1.0, 0], [0.6, 0, -0.8]):
        assert np.allclose(upright.upright_rotation(np.array(down)) @ down, [0, 1, 0])


def test_the_largest_plane_tells_up_where_edges_do_not_and_refines_it_where_they_do():
    rng, down = np.random.default_rng(1), np.array([0, 1.0, 0])
    rotations, plane = _held(50, 6), Rotation.from_euler("XZ", [0.8, -0.6], degrees=True).as_matrix() @ down
    anyhow = Rotation.random(200, random_state=2).as_matrix()[..., 0].T
    room = Rotation.from_euler("Y", 30, degrees=True).as_matrix()
    assert _off_deg(_found(rotations, _room(rotations, rng, anyhow)), down) > 15
    for axes, most_deg in ((anyhow, 1.5), (room, 0.5)):
        found = _found(rotations, _room(rotations, rng, axes), plane)
        assert _off_deg(found, down) < most_deg
        assert found.sigma_rad < np.radians(6)


def test_a_plane_that_leans_does_not_outvote_the_edges_of_a_room():
    rng, down = np.random.default_rng(3), np.array([0, 1.0, 0])
    rotations, desk = _held(30), Rotation.from_euler("X", 20, degrees=True).as_matrix() @ down
    found = _found(rotations, _room(rotations, rng, np.eye(3)), desk)
    assert _off_deg(found, down) < 0.7
