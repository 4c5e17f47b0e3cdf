"""Metres per unit: what hands, floors, habits and a person's measurements say of it, and how sure that is."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from solver.camera import known_sizes, metric, scale, scale_evidence, scale_priors, surfaces
from solver.camera.cameras import CameraPath, ScaleEstimate, project
from solver.camera.known_sizes import KnownLength, KnownSizes
from solver.camera.seen_hands import SeenHand
from solver.errors import SolverError

from . import camera_scenes

_UNIT, _FOCAL, _SIZE = 0.37, 430.0, (640, 360)
_LENS = np.array([_FOCAL, _FOCAL, _SIZE[0] / 2, _SIZE[1] / 2])
_TABLE_TOP_M, _FLOOR_M, _FRAME_S = 0.5, 1.24, 1 / 30


def _looking_down(centres: np.ndarray, pitch_deg: float = 45.0) -> np.ndarray:
    """(T, 4, 4) cameras at (T, 3), y down."""
    cos, sin = np.cos(np.radians(pitch_deg)), np.sin(np.radians(pitch_deg))
    poses = np.tile(np.eye(4), (len(centres), 1, 1))
    poses[:, :3, :3] = [[1, 0, 0], [0, cos, sin], [0, -sin, cos]]
    poses[:, :3, 3] = centres
    return poses


def _table(rng: np.random.Generator, count: int = 300) -> np.ndarray:
    """Points on a level surface half a metre below the origin, and as many that stand about on it or hang behind."""
    top = rng.uniform([-0.7, 0, 0.1], [0.7, 0, 1.2], (count, 3)) + [0, _TABLE_TOP_M, 0]
    things = rng.uniform([-1.0, -0.8, 0.5], [1.0, _TABLE_TOP_M, 1.6], (count, 3))
    return np.concatenate([top, things]) + rng.normal(0, 0.001, (2 * count, 3))


def _floor(rng: np.random.Generator, count: int = 150) -> np.ndarray:
    """Points on what is seen of it beyond the table."""
    return rng.uniform([-1.5, _FLOOR_M, 1.5], [1.5, _FLOOR_M, 3.5], (count, 3)) + rng.normal(0, 0.002, (count, 3))


def _path(poses: np.ndarray, points: np.ndarray) -> CameraPath:
    """In units of 0.37 m."""
    poses = poses.copy()
    poses[:, :3, 3] /= _UNIT
    points = points / _UNIT
    errors = np.full(len(points), 0.5)
    return CameraPath("general", _LENS, poses, points=points, point_errors_px=errors, up_sigma=0.01)


def _seen(poses: np.ndarray, world: np.ndarray, rng: np.random.Generator, size: float = 1.0) -> SeenHand:
    """Landmarks (T, 21, 3) as the initial fit would place them for a hand of ``size``, its depth 3 % off a frame."""
    local = np.einsum("tji,tkj->tki", poses[:, :3, :3], world - poses[:, None, :3, 3])
    pixels = project(local, _LENS) + rng.normal(0, 0.5, (len(world), 21, 2))
    return SeenHand(np.arange(1, len(world) + 1), pixels, local * size * rng.normal(1, 0.03, (len(world), 1, 1)))


def _flat_hand() -> np.ndarray:
    """(21, 3) that lies, fingers along z."""
    hand = camera_scenes.hand_points(0, "right", 90)
    hand = hand - hand.mean(axis=0)
    _, _, axes = np.linalg.svd(hand)
    flat = hand @ axes.T
    return np.stack([flat[:, 1], 0.2 * flat[:, 2], flat[:, 0]], axis=1)


def _swaying(count: int, rng: np.random.Generator, finer: int = 1) -> np.ndarray:
    times = np.arange(count)[:, None] / finer
    return np.array([0.2, 0.05, 0.15]) * np.sin(times / [17.0, 23.0, 29.0] + rng.uniform(0, 6, 3))


def _over_a_table(
    motion: str, size: float = 1.0, floor: bool = True, finer: int = 1
) -> tuple[CameraPath, list[SeenHand]]:
    """For a third of the clip a hand is "still" in the air, "sliding" or "resting" on the table; or it is "carried".

    ``floor``: is any of it in view? ``finer``: times as many frames.
    """
    rng = np.random.default_rng(3)
    poses = _looking_down(_swaying(90 * finer, rng, finer))
    waves = 0.06 * np.sin(np.arange(90 * finer)[:, None] / finer / [7.0, 9.0, 11.0])
    place, middle = np.array([0.0, 0.25, 0.4]) + waves, slice(30 * finer, 60 * finer)
    if motion == "still":
        place[middle] = place[30 * finer]
    elif motion in ("sliding", "resting"):
        slide = [1.5, 0, 1] if motion == "sliding" else [0.3, 0, 0.3]
        place[middle] = [0.0, _TABLE_TOP_M - 0.012, 0.45] + waves[middle] * slide
    else:
        place = poses[:, :3, 3] + [0.0, 0.25, 0.3] + 0.2 * waves
    points = np.concatenate([_table(rng), _floor(rng)] if floor else [_table(rng)])
    return _path(poses, points), [_seen(poses, _flat_hand() + place[:, None], rng, size)]


def _estimate(path: CameraPath, hands: list[SeenHand], **options) -> ScaleEstimate:
    return scale.estimate(path, hands, 1, _FRAME_S, **options)


def _often(evidence: scale_evidence.Evidence, times: int) -> scale_evidence.Evidence:
    return dataclasses.replace(evidence, still=np.repeat(evidence.still, times, axis=0))


def _holds(found: ScaleEstimate) -> bool:
    return found.low < _UNIT / found.metres_per_unit < found.high


@pytest.mark.parametrize(("motion", "cue"), [("still", "still hands"), ("sliding", "resting hands")])
def test_a_hand_that_keeps_still_or_lies_on_a_table_tells_the_scale(motion, cue):
    found = _estimate(*_over_a_table(motion))
    assert found.determined and cue in found.cues
    assert abs(found.metres_per_unit / _UNIT - 1) < 0.08
    assert _holds(found)


@pytest.mark.parametrize("motion", ["still", "sliding", "resting"])
def test_twice_as_many_frames_a_second_tell_the_same(motion):
    found = [scale.estimate(*_over_a_table(motion, finer=finer), 1, _FRAME_S / finer) for finer in (1, 2)]
    assert found[0].cues == found[1].cues != ("guess",)
    assert found[1].metres_per_unit == pytest.approx(found[0].metres_per_unit, rel=0.03)
    assert found[1].high / found[1].low == pytest.approx(found[0].high / found[0].low, rel=0.1)


def test_a_hand_that_keeps_its_place_on_a_surface_for_longer_tells_a_table_from_a_floor():
    path, hands = _over_a_table("resting", floor=False)
    resting, unmoved = _estimate(path, hands), _estimate(path, [])
    assert unmoved.high * unmoved.metres_per_unit > 2.5 * _UNIT
    assert _holds(resting) and resting.determined and resting.high * resting.metres_per_unit < 1.6 * _UNIT
    meanwhile = _estimate(path, [hands[0].during(33, 58)])
    assert "resting hands" in meanwhile.cues and _holds(meanwhile)


def test_words_say_what_the_surface_is_taken_for_and_what_follows_if_it_is_another():
    path, hands = _over_a_table("carried", floor=False)
    path = dataclasses.replace(path, scale=ScaleEstimate(determined=False, cues=("guess",)))
    found = metric.in_metres(path, hands, 1, _FRAME_S, KnownSizes())
    readings = scale.tell(path, hands, 1, _FRAME_S).readings
    assert {one.is_floor for one in readings} == {True, False} and sum(one.likely for one in readings) < 1.001
    floor, table = sorted(readings, key=lambda one: -one.below_m)
    assert floor.is_floor and 1.1 < floor.below_m < 1.8 and 0.3 < table.below_m < 0.9
    assert table.factor / floor.factor == pytest.approx(table.below_m / floor.below_m)
    (said,) = (note.sentence for note in found.notes)
    assert "takes the level surface in view for" in said and "the floor" in said and "a table" in said


def test_what_lies_below_a_table_tells_it_from_a_floor():
    rng = np.random.default_rng(3)
    poses, table = _looking_down(_swaying(90, rng)), _table(rng)
    alone, both = (_path(poses, points) for points in (table, np.concatenate([table, _floor(rng)])))
    found, guessed = _estimate(both, []), _estimate(alone, [])
    assert abs(found.metres_per_unit / _UNIT - 1) < 0.1 and _holds(found) and not found.determined
    # with nothing but one level surface in view it may be either, and the interval holds both
    assert guessed.low < 1.45 / (guessed.metres_per_unit / _UNIT * _TABLE_TOP_M) * 1.1 and _holds(guessed)
    assert guessed.high * guessed.metres_per_unit > 2.5 * _UNIT


def test_who_walks_over_a_floor_does_not_walk_over_a_table():
    times, rng = np.arange(90) / 30, np.random.default_rng(7)
    centres = np.stack([0 * times, 0.02 * np.sin(2 * np.pi * 1.8 * times), 1.1 * times], axis=1)
    floor = rng.uniform([-1.5, 1.55, 0.5], [1.5, 1.55, 5], (400, 3)) + rng.normal(0, 0.002, (400, 3))
    path = _path(_looking_down(centres, 30), floor)
    found = _estimate(path, [])
    assert abs(found.metres_per_unit / _UNIT - 1) < 0.1 and found.low * found.metres_per_unit > 0.6 * _UNIT
    carried = centres + [0.0, 0.3, 0.4] + 0.02 * np.sin(times[:, None] * [5, 7, 6])
    hands = [_seen(path.world_from_camera * 1.0, _flat_hand() + carried[:, None], rng)]
    assert abs(_estimate(path, hands).metres_per_unit / found.metres_per_unit - 1) < 0.05


def test_in_a_world_that_lies_anyhow_no_surface_is_level():
    path, hands = _over_a_table("sliding")
    found = _estimate(dataclasses.replace(path, up_sigma=float("nan")), hands)
    assert not found.determined and "resting hands" not in found.cues


def test_hands_of_another_size_move_the_scale_and_the_interval_knows():
    large, mean = (_estimate(*_over_a_table("still", size, floor=False)) for size in (1.12, 1.0))
    assert 1.05 < large.metres_per_unit / mean.metres_per_unit < 1.13
    assert _holds(large)
    measured = _estimate(*_over_a_table("still", floor=False), hand_is_measured=True)
    assert measured.high / measured.low < 0.95 * mean.high / mean.low


def test_what_hundreds_of_hands_say_is_not_too_much_for_a_number(monkeypatch):
    gather = scale_evidence.gather
    monkeypatch.setattr(scale_evidence, "gather", lambda *given: _often(gather(*given), 500))
    found = _estimate(*_over_a_table("still"))
    assert found.determined and _holds(found)


def test_hands_carried_along_do_not_shrink_the_world():
    path, hands = _over_a_table("carried")
    found = _estimate(path, hands)
    assert not found.determined and found.cues == ("guess",)
    assert found.metres_per_unit > 0.7 * _estimate(path, []).metres_per_unit
    assert _holds(found)


def test_a_hand_in_front_of_the_background_makes_a_small_world_unlikely():
    path, _ = _over_a_table("carried")
    rng = np.random.default_rng(4)
    far = np.array([0.0, 0.0, 2.0]) + 4 * _flat_hand() @ np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
    local = np.tile(far, (90, 1, 1))
    hand = SeenHand(np.arange(1, 91), project(local, _LENS) + rng.normal(0, 0.5, (90, 21, 2)), local)
    # seen at 2 m before what would be at 0.7 m, were the unit what it is
    assert _estimate(path, [hand]).metres_per_unit > 1.5 * _estimate(path, []).metres_per_unit


def test_a_hand_lowered_beside_a_table_does_not_make_the_world_larger():
    rng = np.random.default_rng(8)
    poses, table = _looking_down(_swaying(60, rng)), _table(rng)
    path = _path(poses, table[(table[:, 0] < 0) | (table[:, 1] < _TABLE_TOP_M - 0.02)])
    surface = surfaces.find_level(path)
    over, beside = (
        scale_evidence.gather(
            path, [_seen(poses, _flat_hand() + np.tile(place, (60, 1, 1)), rng)], 1, surface, _FRAME_S
        )
        for place in ([-0.35, 0.35, 0.6], [0.75, 0.75, 0.7])
    )
    assert np.log(_UNIT) - 0.6 < over.above < np.log(_UNIT) and beside.above is None


def test_the_level_surface_is_the_table_and_walls_have_none():
    rng = np.random.default_rng(5)
    path = _path(_looking_down(_swaying(40, rng)), _table(rng))
    found = surfaces.find_level(path)
    assert found.below(np.zeros((1, 3)))[0] * _UNIT == pytest.approx(_TABLE_TOP_M, abs=0.004)
    assert found.normal[1] > np.cos(np.radians(1))
    wall = rng.uniform([-1, -1, 2], [1, 1, 2.01], (400, 3))
    assert surfaces.find_level(dataclasses.replace(path, points=wall, point_errors_px=np.full(400, 0.5))) is None


def test_the_largest_plane_is_found_however_the_world_lies_and_a_wall_is_none():
    rng = np.random.default_rng(5)
    turn = Rotation.from_euler("XZ", [28, -9], degrees=True).as_matrix()
    path = _path(_looking_down(_swaying(40, rng)), _table(rng) @ turn.T)
    path.world_from_camera[:, :3, 3] @= turn.T
    assert surfaces.find_largest(path) @ turn[:, 1] > np.cos(np.radians(0.7))
    wall = rng.uniform([-1, -1, 2], [1, 1, 2.01], (400, 3))
    loose = rng.uniform([-1, -1, 1], [1, 1, 2], (400, 3))
    for points in (wall, loose, wall[:5]):
        few = dataclasses.replace(path, points=points, point_errors_px=np.full(len(points), 0.5))
        assert surfaces.find_largest(few) is None


def test_a_walk_is_known_by_its_steps():
    times = np.arange(90) / 30
    centres = np.stack([1.1 * times, 0.022 * np.sin(2 * np.pi * 1.8 * times), 0.1 * times], axis=1)
    assert scale_priors.walking_speed(centres / _UNIT, 1 / 30) == pytest.approx(60 * 0.006 * 1.8**2, rel=0.05)
    assert scale_priors.walking_speed(centres[:30] / _UNIT, 1 / 30) is None  # too few steps
    gliding = centres * [1, 0, 1] + np.random.default_rng(0).normal(0, 0.003, (90, 3))
    assert scale_priors.walking_speed(gliding, 1 / 30) is None


# --- what was measured ------------------------------------------------------------------------------------------------


def _measured(known: KnownSizes) -> CameraPath:
    path, hands = _over_a_table("carried")
    guessed = dataclasses.replace(path, scale=ScaleEstimate(determined=False, cues=("guess",)))
    return metric.in_metres(guessed, hands, 1, _FRAME_S, known)


def _pixels(path: CameraPath, *places_m: np.ndarray) -> list[tuple[float, float]]:
    camera = path.world_from_camera[9]
    return [tuple(project((place / _UNIT - camera[:3, 3]) @ camera[:3, :3], _LENS)) for place in places_m]


def _known_length() -> tuple[CameraPath, KnownLength]:
    """On the table's top."""
    path, _ = _over_a_table("carried")
    rng = np.random.default_rng(3)
    path = dataclasses.replace(path, points=_table(rng)[:300] / _UNIT, point_errors_px=np.full(300, 0.5))
    ends = np.array([[-0.2, _TABLE_TOP_M, 0.5], [0.25, _TABLE_TOP_M, 0.7]])
    length = KnownLength(10, *_pixels(path, *ends), float(np.linalg.norm(ends[0] - ends[1])))
    return dataclasses.replace(path, scale=ScaleEstimate(determined=False, cues=("guess",))), length


def test_a_known_length_sets_the_size():
    path, length = _known_length()
    found = metric.in_metres(path, [], 1, _FRAME_S, KnownSizes(length=length))
    assert found.scale.metres_per_unit == pytest.approx(_UNIT, rel=0.01)
    assert found.scale.determined and found.scale.cues == ("known length",) and found.notes == ()
    np.testing.assert_allclose(found.world_from_camera[:, :3, 3], path.world_from_camera[:, :3, 3] * _UNIT, rtol=0.01)
    np.testing.assert_allclose(found.points, path.points * found.scale.metres_per_unit)


@pytest.mark.parametrize("height_m", [_TABLE_TOP_M, _FLOOR_M])
def test_a_known_camera_height_sets_the_size(height_m):
    found = _measured(KnownSizes(camera_height_m=height_m))
    assert found.scale.metres_per_unit == pytest.approx(_UNIT, rel=0.03)
    assert found.scale.cues == ("camera height",) and _holds(found.scale)


def _table_over_loose_floor():
    rng = np.random.default_rng(9)
    loose = _floor(rng) + rng.uniform([0, -0.25, 0], [0, 0.15, 0], (150, 3))
    return _path(_looking_down(_swaying(40, rng)), np.concatenate([_table(rng), loose]))


def test_a_height_over_a_floor_that_only_single_points_show_is_not_taken_for_one_over_the_table():
    path = _table_over_loose_floor()
    assert len(surfaces.find_levels(path)) == 1
    found = known_sizes.by_height(path, _FLOOR_M, _FRAME_S)
    assert found.metres_per_unit == pytest.approx(_UNIT, rel=0.15) and _holds(found) and found.high > 1.15


def test_a_true_length_is_not_refused_beside_a_height_over_a_floor_that_only_single_points_show():
    length = ScaleEstimate(_UNIT * 1.02, 0.96, 1.04, True, ("known length",))
    both = known_sizes.with_height(length, _table_over_loose_floor(), _FLOOR_M)
    assert both.metres_per_unit == pytest.approx(_UNIT, rel=0.03) and both.cues == ("known length", "camera height")


def test_before_a_wall_a_length_is_taken_without_a_height_but_some_shot_must_show_a_floor():
    rng = np.random.default_rng(5)
    wall = rng.uniform([-1.5, -1.0, 1.5], [1.5, 1.0, 1.5], (400, 3)) + rng.normal(0, 0.001, (400, 3))
    path = _path(_looking_down(_swaying(40, rng), 0.0), wall)
    length = KnownLength(10, *_pixels(path, np.array([-0.3, 0.1, 1.5]), np.array([0.4, 0.0, 1.5])), np.hypot(0.7, 0.1))
    by = known_sizes.by_length(path, length, 1)
    assert by.metres_per_unit == pytest.approx(_UNIT, rel=0.02)
    assert known_sizes.with_height(by, path, 1.6) == by
    guessed = dataclasses.replace(path, scale=ScaleEstimate(determined=False, cues=("guess",)))
    with pytest.raises(SolverError) as refused:
        metric.require_useful(guessed, 1, KnownSizes(camera_height_m=1.6, length=length))
    assert refused.value.code == "camera-height-no-floor"


def test_a_length_and_a_height_are_weighed_or_refused():
    path, length = _known_length()
    alone = metric.in_metres(path, [], 1, _FRAME_S, KnownSizes(length=length)).scale
    both = metric.in_metres(path, [], 1, _FRAME_S, KnownSizes(camera_height_m=_TABLE_TOP_M, length=length)).scale
    assert both.cues == ("known length", "camera height") and _holds(both)
    assert both.high / both.low < alone.high / alone.low
    for known in (metric.in_metres, lambda path, _, first, __, sizes: metric.require_useful(path, first, sizes)):
        with pytest.raises(SolverError) as refused:
            known(path, [], 1, _FRAME_S, KnownSizes(camera_height_m=9.0, length=length))
        assert refused.value.code == "known-sizes-contradict" and "0.50 m high" in refused.value.sentence


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (KnownSizes(length=KnownLength(400, (100, 100), (200, 100), 1.0)), "known-length-no-frame"),
        (KnownSizes(length=KnownLength(10, (320, 200), (320, 200), 1.0)), "known-length-too-short"),
        (KnownSizes(length=KnownLength(10, (-4000, 0), (320, 200), 1.0)), "known-length-no-points"),
    ],
)
def test_a_measurement_of_no_use_is_refused(known, code):
    with pytest.raises(SolverError) as refused:
        _measured(known)
    assert refused.value.code == code


def test_a_height_over_no_floor_is_refused():
    rng = np.random.default_rng(6)
    path = _path(_looking_down(_swaying(40, rng), 0.0), rng.uniform([-1, -1, 2], [1, 1, 2.01], (400, 3)))
    guessed = dataclasses.replace(path, scale=ScaleEstimate(determined=False))
    with pytest.raises(SolverError) as refused:
        metric.in_metres(guessed, [], 1, _FRAME_S, KnownSizes(camera_height_m=1.5))
    assert refused.value.code == "camera-height-no-floor"


def test_each_shot_grows_by_itself():
    path, hands = _over_a_table("still")
    rows, points = len(path.world_from_camera), len(path.points)
    other = path.world_from_camera.copy()
    other[:, :3, 3] *= 2
    both = dataclasses.replace(
        path, world_from_camera=np.concatenate([path.world_from_camera, other]),
        points=np.concatenate([path.points, 2 * path.points]), point_errors_px=np.full(2 * points, 0.5),
        point_shots=np.repeat([0, 1], points), shots=np.array([[0, rows - 1], [rows, 2 * rows - 1]]),
        scale=ScaleEstimate(determined=False),
    )  # fmt: skip
    later = dataclasses.replace(hands[0], frames=hands[0].frames + rows)
    found = metric.in_metres(both, [hands[0], later], 1, _FRAME_S, KnownSizes())
    centres = found.world_from_camera[:, :3, 3]
    np.testing.assert_allclose(centres[:rows], centres[rows:], rtol=0.05, atol=0.005)
    np.testing.assert_allclose(found.points[:points], found.points[points:], rtol=0.05)
