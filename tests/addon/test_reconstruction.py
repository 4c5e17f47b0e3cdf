"""A camera that the artist solved with Blender's own tracker, from markers of known geometry."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import clip, frames, request
from movies import write_movie

from solver.camera.cameras import project
from solver.hand_model import rotations as so3

SIZE, FRAMES = (640, 360), 20
INTRINSICS = np.array([560.0, 560.0, 320.0, 180.0])


def truth():
    """(T, 4, 4) a camera that moves sideways and turns a little, solver axes."""
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    along = np.linspace(0, 1, FRAMES)
    poses[:, :3, :3] = so3.exp(np.stack([0.1 * along, -0.2 * along, 0.05 * along], axis=1))
    poses[:, :3, 3] = np.stack([0.6 * along, 0.1 * along**2, 0.2 * along], axis=1)
    return poses


@pytest.fixture
def solved(tmp_path):
    movie = clip.load(str(write_movie(tmp_path / "shot.mp4", frames=FRAMES, size=SIZE)))
    bpy.context.scene.handheld.clip = movie
    tracking = movie.tracking
    tracking.camera.units = "PIXELS"
    tracking.camera.focal_length_pixels = INTRINSICS[0]
    points = np.random.default_rng(2).uniform([-0.8, -0.6, 1.8], [1.2, 0.6, 3.5], size=(40, 3))
    for number, point in enumerate(points):
        track = tracking.tracks.new(name=f"point{number}", frame=1)
        for frame, pose in enumerate(truth(), start=1):
            pixel = project((point - pose[:3, 3]) @ pose[:3, :3], INTRINSICS)
            inside = ((pixel > 8) & (pixel < np.array(SIZE) - 8)).all()
            if inside:
                track.markers.insert_frame(frame, co=(pixel[0] / SIZE[0], 1 - pixel[1] / SIZE[1]))
            elif frame > 1:
                track.markers.insert_frame(frame, co=(0.5, 0.5)).mute = True
    _solve(movie)
    return movie


def _solve(movie):
    window = bpy.context.window_manager.windows[0]
    area = max(window.screen.areas, key=lambda area: area.width * area.height)
    area.type = "CLIP_EDITOR"
    area.spaces.active.clip = movie
    tracked = movie.tracking.objects.active
    tracked.keyframe_a, tracked.keyframe_b = 1, FRAMES
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        assert bpy.ops.clip.solve_camera() == {"FINISHED"}
    assert movie.tracking.reconstruction.is_valid and movie.tracking.reconstruction.average_error < 0.1


def assert_same_path_up_to_similarity(found, true):
    """Rotations against the first frame, and the shape of the path, are the same."""
    turned = found[0, :3, :3].T @ found[:, :3, :3]
    expected = true[0, :3, :3].T @ true[:, :3, :3]
    assert np.degrees(so3.angle_between(turned, expected)).max() < 0.1
    steps = (found[:, :3, 3] - found[0, :3, 3]) @ found[0, :3, :3]
    wanted = (true[:, :3, 3] - true[0, :3, 3]) @ true[0, :3, :3]
    scale = (steps * wanted).sum() / (wanted * wanted).sum()
    np.testing.assert_allclose(steps / scale, wanted, atol=2e-3)


def test_the_clips_own_solve_goes_to_the_solver(solved):
    asked, around = request.build(bpy.context)
    assert around.camera is None
    with np.load(asked.options["camera"]) as data:
        assert data["frames"].tolist() == list(range(1, FRAMES + 1))
        np.testing.assert_allclose(data["intrinsics"], INTRINSICS, atol=1e-3)
        assert_same_path_up_to_similarity(data["world_from_camera"], truth())


def test_its_points_come_along_where_its_cameras_see_them(solved):
    known = clip.reconstructed_camera(solved)
    assert len(known.points) > 20 and not known.is_metric and np.isfinite(known.point_errors_px).all()
    for row in (0, FRAMES - 1):
        pose = known.world_from_camera[row]
        pixels = project((known.points - pose[:3, 3]) @ pose[:3, :3], INTRINSICS)
        seen = {track.name: track.markers.find_frame(row + 1) for track in solved.tracking.tracks if track.has_bundle}
        marked = np.array([[m.co[0] * SIZE[0], (1 - m.co[1]) * SIZE[1]] if m else [np.nan] * 2 for m in seen.values()])
        here = np.array([m is not None and not m.mute for m in seen.values()])
        assert np.nanmax(np.abs(pixels - marked)[here]) < 1.0


def test_its_size_is_asked_of_the_hands(solved):
    assert request.build(bpy.context)[0].options["camera_scale"] == "hands"
    bpy.context.scene.handheld_camera.scale_source = "METRES"
    assert request.build(bpy.context)[0].options["camera_scale"] == 1.0


def test_static_means_static(solved):
    bpy.context.scene.handheld.camera_source = "STATIC"
    options = request.build(bpy.context)[0].options
    assert options["camera"] is None and options["focal_px"] == pytest.approx(INTRINSICS[0])
    assert options["camera_motion"] == "static"


def test_a_new_solve_can_be_asked_for(solved):
    bpy.context.scene.handheld.camera_source = "SOLVE"
    options = request.build(bpy.context)[0].options
    assert options["camera"] is None and options["camera_motion"] == "auto"


def test_a_constrained_camera_places_the_hands_in_its_world(solved):
    """As Set Up Tracking Scene makes it: a camera that follows the solve, scaled and turned as the artist likes."""
    mine = bpy.data.objects.new("Tracked", bpy.data.cameras.new("Tracked"))
    bpy.context.scene.collection.objects.link(mine)
    follow = mine.constraints.new("CAMERA_SOLVER")
    follow.use_active_clip, follow.clip = False, solved
    mine.location, mine.rotation_euler, mine.scale = (1.0, 2.0, 3.0), (0.3, 0.1, 0.7), (0.4, 0.4, 0.4)
    bpy.context.view_layer.update()
    asked, around = request.build(bpy.context)
    assert around.camera == mine
    with np.load(asked.options["camera"]) as data:
        found = data["world_from_camera"]
    assert_same_path_up_to_similarity(found, truth())
    for row in (0, FRAMES - 1):
        bpy.context.scene.frame_set(row + 1)
        evaluated = mine.evaluated_get(bpy.context.evaluated_depsgraph_get())
        np.testing.assert_allclose(found[row], frames.camera_to_solver(np.array(evaluated.matrix_world)), atol=1e-5)


def test_frames_that_the_solve_lacks_are_named(solved, tmp_path):
    longer = write_movie(tmp_path / "longer.mp4", frames=FRAMES + 5, size=SIZE)
    bpy.ops.handheld.find_clip(filepath=str(longer))
    with pytest.raises(Exception, match="lacks 5 of 25 frames, the first is 21") as refused:
        request.build(bpy.context)
    assert refused.value.code == "camera-too-short"
    bpy.context.scene.handheld.frame_range = "SCENE"
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 3, 12
    assert request.build(bpy.context)[0].options["frame_range"] == [3, 12]
