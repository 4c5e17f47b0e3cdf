"""The whole solver on the clip that comes with the project: real detector, real fit, nothing replaced."""

import dataclasses
import math
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from solver import messages, pipeline, take
from solver.cli import main
from solver.hand_model import loading
from solver.options import SolveOptions
from solver.reprojection import landmark_errors_px, relative_errors
from solver.summary import STAGES
from solver.video import MovieWriter

CLIP = str(Path(__file__).resolve().parents[2] / "tools" / "demo_clip" / "default_clip.mp4")
FRAMES = (1, 24)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def solved(cache, tmp_path_factory):
    """(messages, take) of a balanced solve of the first frames."""
    output = tmp_path_factory.mktemp("solved") / "take.npz"
    stream = list(pipeline.solve(CLIP, str(output), options(cache), request=7))
    return stream, take.load(output)


def options(cache, **changes):
    return SolveOptions(
        **{"frame_range": FRAMES, "cache": cache, "focal_px": 400.0, "camera_motion": "static", **changes}
    )


def of_type(stream, kind):
    return [message for message in stream if isinstance(message, kind)]


def test_stages_come_in_order_and_the_end_is_last(solved):
    stream, _ = solved
    started = of_type(stream, messages.StageStarted)
    assert [message.stage for message in started] == [name for name in STAGES if name not in ("outlines", "rendering")]
    assert [message.index for message in started] == list(range(started[0].count))
    assert {message.request for message in stream} == {7}
    assert [type(m) for m in of_type(stream, messages.ENDINGS)] == [messages.Finished]
    assert isinstance(stream[-1], messages.Finished)
    assert all(messages.decode(messages.encode(message)) == message for message in stream)


@pytest.mark.parametrize("render", [False, True])
def test_final_looks_at_outlines_and_renders_when_that_is_asked_for(cache, tmp_path, render):
    chosen = options(cache, quality="final", frame_range=(1, 6), render=render)
    stream = list(pipeline.solve(CLIP, str(tmp_path / "take.npz"), chosen))
    assert [message.stage for message in of_type(stream, messages.StageStarted)] == [
        name for name in STAGES if render or name != "rendering"
    ]
    assert isinstance(stream[-1], messages.Finished)
    assert np.nanmean(take.load(tmp_path / "take.npz").outline_overlap) > 0.8


def test_both_hands_are_followed_and_told_apart(solved):
    _, result = solved
    assert sorted(result.sides) == ["left", "right"]
    assert (result.coverage() > 0.95).all()
    left, right = result.sides.index("left"), result.sides.index("right")
    # seen from behind the hands, the left one is on the left
    assert np.nanmean(result.transl[left, :, 0]) < np.nanmean(result.transl[right, :, 0])


def test_hands_are_where_the_landmarks_are(solved):
    _, result = solved
    errors = relative_errors(result, loading.load_pair("open"))
    assert (np.nanmedian(errors, axis=1) < 0.02).all()


def test_a_take_keeps_how_large_its_landmarks_were_to_the_solve(solved):
    _, result = solved
    seen = result.status == take.OBSERVED
    assert 1e-4 < np.abs(result.drawn_size[seen]).max() < 0.2
    assert not result.drawn_size[result.status == take.MISSING].any()


def test_a_misplaced_hand_is_measured_as_such(solved):
    _, result = solved
    models = loading.load_pair("open")
    moved = dataclasses.replace(result, transl=result.transl + [0.02, 0, 0])
    fx, depth = result.intrinsics[0], result.transl[..., 2]
    change = np.nanmedian(landmark_errors_px(moved, models), axis=-1)
    assert np.nanmedian(change / (0.02 * fx / depth)) == pytest.approx(1.0, abs=0.15)


def test_hands_stream_while_they_are_solved(solved):
    stream, result = solved
    kinds = [type(message) for message in stream]
    assert kinds.index(messages.TrackStarted) < kinds.index(messages.TrackPose)
    first_fit = next(i for i, m in enumerate(stream) if isinstance(m, messages.StageStarted) and m.stage == "optimise")
    shown = {(m.track, m.frame) for m in of_type(stream[:first_fit], messages.TrackPose)}
    assert len(shown) == (result.status == take.OBSERVED).sum()


def test_optimised_hands_move_more_smoothly_than_single_frames(solved, cache, tmp_path):
    _, smooth = solved
    for _message in pipeline.solve(CLIP, str(tmp_path / "t.npz"), options(cache, quality="initial")):
        pass
    rough = take.load(tmp_path / "t.npz")
    jerk = [np.nanmedian(np.abs(np.diff(t.transl, 3, axis=1))) for t in (smooth, rough)]
    assert jerk[0] < 0.5 * jerk[1]


def test_cache_spares_the_detection(solved, cache, tmp_path):
    stream = list(pipeline.solve(CLIP, str(tmp_path / "t.npz"), options(cache, quality="initial")))
    assert not [m for m in of_type(stream, messages.Progress) if m.stage == "hands"]
    assert isinstance(stream[-1], messages.Finished)


def test_cancel_keeps_what_was_solved(cache, solved, tmp_path):
    output = tmp_path / "t.npz"
    stop, stream = threading.Event(), []
    for message in pipeline.solve(CLIP, str(output), options(cache), stop.is_set):
        stream.append(message)
        if len(of_type(stream, messages.TrackPose)) == 30:
            stop.set()
    assert isinstance(stream[-1], messages.Finished)
    assert stream[-1].cancelled
    kept = take.load(output)
    assert 0 < (kept.status != take.MISSING).sum() <= 2 * (FRAMES[1] - FRAMES[0] + 1)


def test_cancel_while_optimised_poses_stream_keeps_every_hand(cache, solved, tmp_path):
    output = tmp_path / "t.npz"
    stop, optimising = threading.Event(), False
    for message in pipeline.solve(CLIP, str(output), options(cache), stop.is_set):
        optimising |= isinstance(message, messages.StageStarted) and message.stage == "optimise"
        if optimising and isinstance(message, messages.TrackPose):
            stop.set()  # with the first pose of the first hand
    assert message.cancelled
    assert (take.load(output).coverage() > 0.95).all()


def test_cancel_leaves_an_earlier_take_alone(cache, solved, tmp_path):
    _, earlier = solved
    take.save(earlier, tmp_path / "t.npz")
    before = (tmp_path / "t.npz").read_bytes()
    stop, stream = threading.Event(), []
    for message in pipeline.solve(CLIP, str(tmp_path / "t.npz"), options(cache), stop.is_set):
        stream.append(message)
        if isinstance(message, messages.TrackPose):
            stop.set()
    assert stream[-1].cancelled
    assert stream[-1].take == ""
    assert (tmp_path / "t.npz").read_bytes() == before


def test_cancel_before_anything_writes_nothing(tmp_path):
    stream = list(pipeline.solve(CLIP, str(tmp_path / "t.npz"), options(None), lambda: True))
    assert stream[-1] == messages.Finished(0, "", True, stream[-1].summary)
    assert not (tmp_path / "t.npz").exists()


def test_given_camera_moves_the_hands_into_its_world(solved, cache, tmp_path):
    _, static = solved
    turn = np.array([[0.0, 0, 1, 2], [0, 1, 0, -1], [-1, 0, 0, 0.5], [0, 0, 0, 1]])
    frames = np.arange(FRAMES[0], FRAMES[1] + 1)
    np.savez(
        tmp_path / "camera.npz",
        frames=frames,
        world_from_camera=np.tile(turn, (len(frames), 1, 1)),
        intrinsics=static.intrinsics,
    )
    given = options(cache, camera=str(tmp_path / "camera.npz"), quality="initial")
    stream = list(pipeline.solve(CLIP, str(tmp_path / "t.npz"), given))
    assert of_type(stream, messages.CameraSolved)[0].kind == "given"
    placed = take.load(tmp_path / "t.npz")
    for _message in pipeline.solve(CLIP, str(tmp_path / "s.npz"), options(cache, quality="initial")):
        pass
    still = take.load(tmp_path / "s.npz")
    for hand, side in enumerate(placed.sides):
        shaped = loading.load(side, "open").with_shape(placed.betas[hand])
        world = shaped.pose(placed.rotations[hand], placed.transl[hand]).joints
        camera = shaped.pose(still.rotations[hand], still.transl[hand]).joints
        np.testing.assert_allclose(world, camera @ turn[:3, :3].T + turn[:3, 3], atol=1e-9)


def test_a_lens_that_distorts_is_undone_before_hands_are_fitted(solved, cache, tmp_path):
    """The clip as a strong lens would have made it: landmarks stay where they are in it, the hands move."""
    _, static = solved
    frames, bend = np.arange(FRAMES[0], FRAMES[1] + 1), np.array([-0.3, 0.0])
    poses = np.tile(np.eye(4), (len(frames), 1, 1))
    file = tmp_path / "camera.npz"
    np.savez(file, frames=frames, world_from_camera=poses, intrinsics=static.intrinsics, distortion=bend)
    stream = list(pipeline.solve(CLIP, str(tmp_path / "t.npz"), options(cache, camera=str(file), quality="draft")))
    assert of_type(stream, messages.CameraSolved)[-1].distortion == tuple(bend)
    placed = take.load(tmp_path / "t.npz")
    np.testing.assert_array_equal(placed.keypoints_px, static.keypoints_px)
    models = loading.load_pair("open")
    assert (np.nanmedian(relative_errors(placed, models), axis=1) < 0.02).all()
    blind = dataclasses.replace(placed, distortion=np.zeros(2))
    assert np.nanmedian(relative_errors(blind, models)) > 2 * np.nanmedian(relative_errors(placed, models))


def test_a_known_lens_comes_by_the_command_line(solved, cache, tmp_path):
    """The same strong lens as above, told instead of solved elsewhere."""
    _, static = solved
    out, numbers = tmp_path / "t.npz", [str(value) for value in static.intrinsics]
    lens = ["--intrinsics", *numbers, "--distortion", "-0.3", "0.02"]
    frames = ["--frames", *map(str, FRAMES)]
    assert (
        main(["solve", CLIP, "-o", str(out), "--static", "--quality", "initial", "--cache", cache, *frames, *lens]) == 0
    )
    found = take.load(out)
    assert found.distortion.tolist() == [-0.3, 0.02] and found.intrinsics.tolist() == static.intrinsics.tolist()
    assert (np.nanmedian(relative_errors(found, loading.load_pair("open")), axis=1) < 0.03).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"intrinsics": (500.0, 0.0, 1.0, 1.0)}, {"distortion": (0.1,) * 4}, {"distortion_model": "FISHEYE"},
        {"camera_scale": "large"}, {"camera_scale": 0.0}, {"camera_order": "ABC"}, {"camera_rate": (0, 1)},
        {"world_scale": -1.0}, {"distortion": (0.1,)}, {"hand_length_m": 18.0}, {"hand_length_m": 0.001},
        {"camera_height_m": 0.0}, {"known_length": (1, 0, 0, 9, 9, 0.0)}, {"known_length": (1, 0, 0, 9)},
        {"focal_px": math.inf}, {"camera_scale": math.inf}, {"along": ("lens",)},
        {"without": ("poses",), "quality": "initial"}, {"along": ("focal",), "quality": "initial"},
        {"camera_height_m": "tall"}, {"prior": 3}, {"hand_boxes": ((1, 2),)}, {"frame_range": (5,)},
        {"frame_range": (1.5, 20)},
        {"hand_boxes": ((2.5, 0, 0, 9, 9, ""),)},
        {"known_length": (1.5, 10, 10, 60, 60, 0.3)},
        {"cache": CLIP}, {"cache": 5}, {"known_length": 5}, {"known_length": (1, 0, 0, 9, 9, "x")}, {"intrinsics": 5},
        {"frame_rate": ("a", "b")}, {"camera_scale": None}, {"distortion": None}, {"without": 5}, {"masks": "m.mp4"},
        {"distortion_model": {}},
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_named(tmp_path, wrong):
    *_, last = pipeline.solve(CLIP, str(tmp_path / "t.npz"), SolveOptions(**wrong))
    assert last.code == "option-not-valid" and next(iter(wrong)) in last.sentence


def test_a_known_length_in_no_frame_is_refused_before_the_work(tmp_path):
    options = SolveOptions(known_length=(4000, 10, 10, 60, 60, 0.3))
    *before, last = pipeline.solve(CLIP, str(tmp_path / "t.npz"), options)
    assert last.code == "known-length-no-frame"
    assert not any(isinstance(m, messages.StageStarted) and m.stage != "clip" for m in before)


def test_no_hands_is_said_so(tmp_path):
    rng = np.random.default_rng(0)
    with MovieWriter(tmp_path / "wall.mp4", (320, 180), Fraction(25)) as movie:
        for _ in range(6):
            movie.write(rng.integers(90, 110, (180, 320, 3), dtype=np.uint8))
    *_, last = pipeline.solve(str(tmp_path / "wall.mp4"), str(tmp_path / "t.npz"), SolveOptions())
    assert isinstance(last, messages.Failed)
    assert last.code == "no-hands-found"
    assert not (tmp_path / "t.npz").exists()


def test_what_changes_nothing_of_a_camera_is_said(cache, tmp_path):
    length = (1, 10, 10, 60, 60, 0.3)
    chosen = options(cache, quality="draft", known_length=length, along=("poses", "focal"))
    stream = list(pipeline.solve(CLIP, str(tmp_path / "t.npz"), chosen))
    said = {message.code: message.sentence for message in of_type(stream, messages.Warned)}
    assert "camera-size-not-used" in said and "poses and focal" in said["camera-not-along"]
    assert take.load(tmp_path / "t.npz").focal_sigma == 0.0


def test_a_lens_that_is_assumed_is_not_stated_as_exact(cache, tmp_path):
    for _ in pipeline.solve(CLIP, str(tmp_path / "t.npz"), options(cache, quality="initial", focal_px=None)):
        pass
    assert take.load(tmp_path / "t.npz").focal_sigma is None


def test_a_take_finds_its_clip_from_any_folder(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(CLIP).parent)
    for _ in pipeline.solve(Path(CLIP).name, str(tmp_path / "t.npz"), options(cache, quality="initial")):
        pass
    assert take.load(tmp_path / "t.npz").clip_path == CLIP
