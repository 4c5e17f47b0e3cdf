"""The camera for other programs, checked by reading each file again: every frame, to the pixel."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import camera, clip, frames, scene, take_to_scene
from bl_ext.user_default.handheld.addon.take_to_scene import Surroundings
from movies import write_movie
from takes import moving_take

from solver.camera import formats
from solver.camera.cameras import project
from solver.hand_model import rotations as so3

SIZE, FRAMES = (64, 36), 12
LENS = np.array([70.0, 70.0, 32.0, 18.0])
POINTS = np.random.default_rng(1).normal(size=(6, 3))


@pytest.fixture
def solved(tmp_path):
    """A solved camera below a root that the artist has turned and scaled; its world poses, solver axes."""
    movie = clip.load(str(write_movie(tmp_path / "clip.mp4", frames=FRAMES, rate="25:1")))
    target = bpy.context.scene
    target.handheld.clip = movie
    scene.match(target, movie, True, True, True)
    take = moving_take(
        frames=FRAMES, sides=(), size=SIZE, intrinsics=LENS, camera_kind="given", points=POINTS,
        point_errors_px=np.arange(6.0), distortion=np.array([-0.1, 0.02]),
    )  # fmt: skip
    root = take_to_scene.build(take, "a.npz", Surroundings(target, movie, "open"))
    root.location, root.rotation_euler, root.scale = (1, 2, 3), (0.3, 0.2, 0.1), (2, 2, 2)
    bpy.context.view_layer.update()
    return camera.in_render(target.camera, target, np.arange(1, FRAMES + 1), movie).world_from_camera


def export(path, file_format):
    before = {block.name for kind in (bpy.data.objects, bpy.data.cameras, bpy.data.actions) for block in kind}
    assert bpy.ops.handheld.export_camera(filepath=str(path), file_format=file_format) == {"FINISHED"}
    after = {block.name for kind in (bpy.data.objects, bpy.data.cameras, bpy.data.actions) for block in kind}
    assert after == before


@pytest.mark.parametrize(("file_format", "name"), [("CHAN", "c.chan"), ("COLMAP", "model"), ("NPZ", "c.npz")])
def test_own_writers_return_every_frame(solved, tmp_path, file_format, name):
    export(tmp_path / name, file_format)
    found = formats.read(tmp_path / name, SIZE)
    assert found.frames.tolist() == list(range(1, FRAMES + 1))
    np.testing.assert_allclose(found.world_from_camera, solved, atol=1e-6)
    np.testing.assert_allclose(found.lens.intrinsics, LENS, atol=1e-4)
    if file_format != "CHAN":
        np.testing.assert_allclose(found.lens.distortion[:2], [-0.1, 0.02], atol=1e-6)
        root = bpy.context.scene.camera.parent
        world = frames.points_to_blender(POINTS) @ np.array(root.matrix_world)[:3, :3].T + root.location
        np.testing.assert_allclose(found.points, frames.points_to_solver(world), atol=1e-5)


def test_a_camera_that_was_parented_elsewhere_brings_its_points(solved, tmp_path):
    bpy.context.scene.camera.parent = None
    export(tmp_path / "c.npz", "NPZ")
    assert len(formats.read(tmp_path / "c.npz", SIZE).points) == len(POINTS)


def test_a_solve_with_an_exported_camera_is_the_same_camera(solved, tmp_path):
    """What is exported can be chosen as the camera file of the next solve."""
    export(tmp_path / "c.chan", "CHAN")
    bpy.ops.handheld.choose_camera_file(filepath=str(tmp_path / "c.chan"))
    assert bpy.context.scene.handheld_camera.about.startswith(f"{FRAMES} poses, frames 1 to {FRAMES}, 70 px")


IMPORTERS = {
    # frame 1 is written at the time of frame 1; Blender's importer puts all a frame later unless told otherwise, and
    # forgets the 1.001 of NTSC rates
    "FBX": ("c.fbx", lambda path: bpy.ops.import_scene.fbx(filepath=path, anim_offset=0.0)),
    "ALEMBIC": ("c.abc", lambda path: bpy.ops.wm.alembic_import(filepath=path, as_background_job=False)),
    "USD": ("c.usdc", lambda path: bpy.ops.wm.usd_import(filepath=path)),
}


@pytest.mark.parametrize("file_format", IMPORTERS)
def test_blenders_exporters_return_every_frame(solved, tmp_path, file_format):
    name, load = IMPORTERS[file_format]
    export(tmp_path / name, file_format)
    rate = bpy.context.scene.render.fps, bpy.context.scene.render.fps_base
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    target = bpy.context.scene
    target.render.fps, target.render.fps_base = rate
    target.render.resolution_x, target.render.resolution_y = SIZE
    assert load(str(tmp_path / name)) == {"FINISHED"}
    found = next(candidate for candidate in target.objects if candidate.type == "CAMERA")
    read = camera.in_render(found, target, np.arange(1, FRAMES + 1), None)
    turned = so3.angle_between(read.world_from_camera[:, :3, :3], solved[:, :3, :3])
    assert np.degrees(turned).max() < 0.01
    np.testing.assert_allclose(read.world_from_camera[:, :3, 3], solved[:, :3, 3], atol=1e-4)
    assert (
        abs(project(np.array([0.2, 0.1, 1.0]), read.lens.intrinsics) - project(np.array([0.2, 0.1, 1.0]), LENS)).max()
        < 0.05
    )


def test_nothing_to_export_and_a_lens_that_changes(tmp_path):
    with pytest.raises(RuntimeError, match="solve a clip first"):
        bpy.ops.handheld.export_camera(filepath=str(tmp_path / "c.chan"))
    mine = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    bpy.context.scene.collection.objects.link(mine)
    bpy.context.scene.camera = mine
    for frame, lens in ((1, 30.0), (250, 60.0)):
        mine.data.lens = lens
        mine.data.keyframe_insert("lens", frame=frame)
    with pytest.raises(RuntimeError, match="focal length or shift of Mine changes"):
        bpy.ops.handheld.export_camera(filepath=str(tmp_path / "c.chan"))
