"""The painter: right place, right order, nothing behind the camera."""

import numpy as np

from solver.overlay.draw import Surface, paint, silhouette

INTRINSICS = np.array([100.0, 100.0, 50.0, 40.0])
QUAD = np.array([[0, 2, 1], [0, 3, 2]])  # faces the camera with these corners:


def quad(left, top, right, bottom, z, colour=(255, 0, 0)):
    """A rectangle that covers the px (left, top)..(right, bottom) at depth z."""
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    xy = (corners - INTRINSICS[2:]) / INTRINSICS[:2] * z
    return Surface(np.column_stack([xy, np.full(4, z)]), QUAD, colour, opacity=1.0)


def test_silhouette_covers_the_pixels_that_the_camera_model_says():
    mask = silhouette(quad(20, 10, 60, 30, 0.5), INTRINSICS, (100, 80))
    rows, columns = np.nonzero(mask)
    # pixel i spans [i, i + 1): OpenCV also fills those that the border touches
    assert (columns.min(), rows.min()) == (19, 9) or (columns.min(), rows.min()) == (20, 10)
    assert abs(columns.max() - 59) <= 1
    assert abs(rows.max() - 29) <= 1
    assert abs(int(mask.sum()) - 40 * 20) <= 2 * (40 + 20)


def test_nearer_surface_is_on_top_whatever_the_order():
    near, far = quad(20, 20, 40, 40, 0.4, (255, 0, 0)), quad(10, 10, 60, 60, 0.8, (0, 0, 255))
    plate = np.zeros((80, 100, 3), np.uint8)
    for order in ([near, far], [far, near]):
        painted = paint(plate, order, INTRINSICS)
        assert painted[30, 30, 0] > painted[30, 30, 2]
        assert painted[50, 50, 2] > painted[50, 50, 0]


def test_opacity_mixes_with_the_plate_and_leaves_the_rest_alone():
    plate = np.full((80, 100, 3), 200, np.uint8)
    surface = quad(20, 20, 40, 40, 0.5, (0, 0, 0))
    painted = paint(plate, [Surface(surface.vertices, QUAD, (0, 0, 0), opacity=0.5)], INTRINSICS)
    assert abs(int(painted[30, 30, 0]) - 100) <= 1
    assert (painted[:15] == 200).all()
    assert (plate == 200).all()


def test_behind_the_camera_and_backs_are_not_drawn():
    plate = np.zeros((80, 100, 3), np.uint8)
    front = quad(20, 20, 40, 40, 0.5)
    behind = Surface(front.vertices * [1, 1, -1], QUAD, (255, 255, 255))
    back = Surface(front.vertices, QUAD[:, ::-1], (255, 255, 255))
    assert not paint(plate, [behind, back], INTRINSICS).any()
    assert not paint(plate, [], INTRINSICS).any()
