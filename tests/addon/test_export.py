"""Exported and read back by Blender's own importers: every bone, every frame."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import clip, exporting, frames, imports, rig
from bl_ext.user_default.handheld.addon.hands import hands_of
from bl_ext.user_default.handheld.solver.errors import SolverError
from mathutils import Matrix
from movies import write_movie
from takes import moving_take

from solver import take as takes
from solver.formats import convert, peers
from solver.hand_model import load_pair
from solver.hand_model import rotations as so3
from solver.take import MISSING

COUNT = 8
JOINTS = ("wrist", "index1", "index3", "thumb2", "pinky3")


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Root, take and hands in the scene, moving slowly enough for any interpolation."""
    take = moving_take(frames=COUNT, camera_kind="given", clip_path=str(tmp_path / "gone.mp4"))
    path = tmp_path / "take.npz"
    takes.save(take, path)
    imports.import_take(bpy.context, str(path), False)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.001
    root = next(candidate for candidate in bpy.context.scene.objects if candidate.handheld.role == "ROOT")
    root.matrix_world = Matrix.Translation((0.3, 0.2, 1.0)) @ Matrix.Rotation(0.4, 4, "Z")
    bpy.context.view_layer.update()
    return root, take


def shown(armature, scene_frames):
    """(T, joints, 4, 4): turn against rest and place of some bones, in the world."""
    out = []
    for frame in scene_frames:
        bpy.context.scene.frame_set(int(np.floor(frame)), subframe=float(frame % 1))
        world = armature.matrix_world
        row = []
        for name in JOINTS:
            bone = armature.pose.bones[name]
            turn = (world @ bone.matrix).to_quaternion().to_matrix().to_4x4()
            rest = bone.bone.matrix_local.to_quaternion().to_matrix().to_4x4()
            row.append(Matrix.Translation((world @ bone.matrix).translation) @ turn @ rest.inverted())
        out.append(row)
    return np.array(out, float)


def assert_same(got, want, scale=1.0):
    """Places to 0.1 mm; turns since the first frame to 0.1 degrees, in whatever axes the file has them."""
    assert 1e3 * np.abs(got[..., :3, 3] * scale - want[..., :3, 3]).max() < 0.1
    since = [np.swapaxes(m[:1, :, :3, :3], -1, -2) for m in (got, want)]
    turned = [m[:, :, :3, :3] @ first for m, first in zip((got, want), since, strict=True)]
    assert np.degrees(so3.angle_between(*turned)).max() < 0.1


def exported(form, tool, contents, path):
    scene = bpy.context.scene
    objects = exporting.chosen(scene, contents, None)
    span = exporting.frame_range(objects, scene)
    assert span == (1, COUNT)
    return exporting.export(bpy.context, exporting.Job(objects, span, path, form, tool))


def import_again(form, path):
    before = set(bpy.data.objects)
    if form == "FBX":
        bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    elif form == "GLTF":
        bpy.ops.import_scene.gltf(filepath=str(path), bone_heuristic="BLENDER")
    elif form == "USD":
        bpy.ops.wm.usd_import(filepath=str(path))
    elif form == "ALEMBIC":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    bpy.context.view_layer.update()
    return [candidate for candidate in bpy.data.objects if candidate not in before]


def frames_in_file(form):
    """Where the importer puts the frames. Blender's for FBX takes 29.97 for 30: all of them come a thousandth late."""
    return np.arange(1, COUNT + 1) * (bpy.context.scene.render.fps_base if form == "FBX" else 1.0)


# glTF's settings are the same for every tool
@pytest.mark.parametrize(("form", "tool"), [("FBX", "UNREAL"), ("FBX", "UNITY"), ("GLTF", "MAYA")])
def test_bones_come_back(form, tool, built, tmp_path):
    root, _ = built
    originals = hands_of(root)
    want = {hand.handheld.side: shown(hand, range(1, COUNT + 1)) for hand in originals}
    selected = [candidate.name for candidate in bpy.context.scene.objects if candidate.select_get()]
    written = exported(form, tool, "HANDS_CAMERA", tmp_path / f"hands{exporting.FORMATS[form]}")
    assert written[0].stat().st_size > 1000
    assert [candidate.name for candidate in bpy.context.scene.objects if candidate.select_get()] == selected
    made = import_again(form, written[0])
    armatures = [candidate for candidate in made if candidate.type == "ARMATURE"]
    assert len(armatures) == 2
    for armature in armatures:
        side = "left" if "Left" in armature.name else "right"
        assert_same(shown(armature, frames_in_file(form)), want[side])
    assert any(candidate.type == "CAMERA" for candidate in made)


# Blender's importer leaves its file open
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("tool", ["BLENDER", "MAYA"])
def test_bvh_comes_back(tool, built, tmp_path):
    root, _ = built
    objects = set(bpy.data.objects)
    written = exported("BVH", tool, "HANDS", tmp_path / "hands.bvh")
    assert len(written) == 2
    assert set(bpy.data.objects) == objects
    unit = exporting.SETTINGS[tool]["BVH"]["global_scale"]
    for hand, path in zip(hands_of(root), written, strict=True):
        assert hand.name in path.name
        want = shown(hand, range(1, COUNT + 1))
        axes = {"axis_forward": "Y", "axis_up": "Z"} if tool == "BLENDER" else {"axis_forward": "-Z", "axis_up": "Y"}
        bpy.ops.import_anim.bvh(filepath=str(path), use_fps_scale=False, frame_start=1, **axes)
        assert_same(shown(bpy.context.object, range(1, COUNT + 1)), want, scale=1 / unit)
        text = path.read_text()
        assert f"Frames: {COUNT}" in text
        assert float(text.split("Frame Time:")[1].split()[0]) == pytest.approx(1.001 / 30, abs=1e-5)


def skin(mesh, scene_frames):
    out = []
    for frame in scene_frames:
        bpy.context.scene.frame_set(int(frame))
        evaluated = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
        points = np.empty(3 * len(evaluated.data.vertices), np.float32)
        evaluated.data.vertices.foreach_get("co", points)
        world = np.array(evaluated.matrix_world, float)
        out.append(points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])
    return np.array(out)


@pytest.mark.parametrize(("form", "tool"), [("ALEMBIC", "MAYA"), ("USD", "UNREAL"), ("USD", "MAYA")])
def test_skin_comes_back(form, tool, built, tmp_path):
    root, _ = built
    originals = [rig.mesh_of(hand) for hand in hands_of(root)]
    for mesh in originals:
        mesh.hide_viewport = mesh.hide_render = False
        mesh.animation_data_clear()
    want = [skin(mesh, range(1, COUNT + 1)) for mesh in originals]
    written = exported(form, tool, "HANDS", tmp_path / f"hands{exporting.FORMATS[form]}")
    made = [candidate for candidate in import_again(form, written[0]) if candidate.type == "MESH"]
    assert len(made) == 2
    unit = exporting.SETTINGS[tool][form].get("global_scale", 1.0)
    for mesh in made:
        got = skin(mesh, range(1, COUNT + 1)) / unit
        assert min(1e3 * np.abs(got - wanted).max() for wanted in want if wanted.shape == got.shape) < 0.1


def camera_shown(camera, scene_frames):
    out = []
    for frame in scene_frames:
        bpy.context.scene.frame_set(int(np.floor(frame)), subframe=float(frame % 1))
        out.append(np.array(camera.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world, float))
    out = np.array(out)
    out[:, :3, :3] /= np.linalg.norm(out[:, :3, :3], axis=1, keepdims=True)
    return out


@pytest.mark.parametrize("form", ["FBX", "GLTF", "USD", "ALEMBIC"])
def test_the_camera_comes_back(form, built, tmp_path):
    root, _ = built
    solved = next(child for child in root.children if child.type == "CAMERA")
    want, angle = camera_shown(solved, range(1, COUNT + 1)), solved.data.angle
    written = exported(form, "UNITY", "CAMERA", tmp_path / f"camera{exporting.FORMATS[form]}")
    made = next(candidate for candidate in import_again(form, written[0]) if candidate.type == "CAMERA")
    got = camera_shown(made, frames_in_file(form))
    assert 1e3 * np.abs(got[:, :3, 3] - want[:, :3, 3]).max() < 0.1
    assert np.degrees(so3.angle_between(got[:, :3, :3], want[:, :3, :3])).max() < 0.1
    if form == "GLTF":  # which knows the angle along the picture's height
        angle = 2 * np.arctan(np.tan(angle / 2) * 9 / 16)
    assert made.data.angle == pytest.approx(angle, rel=1e-3)


def test_a_scene_of_another_rate_than_the_clips_is_told(empty_scene, tmp_path):
    job = exporting.Job((), (1, 2), tmp_path / "x.fbx", "FBX", "BLENDER")
    assert exporting.notes(empty_scene, job) == []
    empty_scene.handheld.clip = clip.load(str(write_movie(tmp_path / "clip.y4m")))
    assert "at 24 fps" in exporting.notes(empty_scene, job)[0] and "29.97" in exporting.notes(empty_scene, job)[0]
    bpy.ops.handheld.match_scene()
    assert exporting.notes(empty_scene, job) == []


def test_what_a_format_cannot_hold_is_said(built, tmp_path):
    objects = exporting.chosen(bpy.context.scene, "HANDS_CAMERA", None)
    bvh = exporting.Job(objects, (1, 2), tmp_path / "x.bvh", "BVH", "BLENDER")
    assert any("no camera" in note for note in exporting.notes(bpy.context.scene, bvh))
    bare = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    with pytest.raises(SolverError) as caught:
        exporting.export(bpy.context, exporting.Job((bare,), (1, 2), tmp_path / "x.abc", "ALEMBIC", "BLENDER"))
    assert caught.value.code == "export-no-mesh"


def test_nothing_to_export():
    with pytest.raises(SolverError) as caught:
        exporting.chosen(bpy.context.scene, "HANDS", None)
    assert caught.value.code == "nothing-to-export"
    with pytest.raises(RuntimeError, match="nothing of that kind"):
        bpy.ops.handheld.export(filepath="/nowhere/x.fbx")


def test_a_folder_that_cannot_be_written_is_said(built, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match=r"could not be written|Not a directory"):
        bpy.ops.handheld.export(filepath=str(tmp_path / "file" / "x.fbx"))


def test_an_alembic_that_blender_only_says_it_wrote(built, tmp_path):
    (tmp_path / "x.abc").mkdir()
    with pytest.raises(RuntimeError, match=r"x\.abc could not be written"):
        bpy.ops.handheld.export(filepath=str(tmp_path / "x.abc"), form="ALEMBIC")


@pytest.mark.parametrize("form", ["smplx", "dyn-hamr", "take"])
def test_parameters_as_the_artist_left_them(form, built, tmp_path):
    root, take = built
    hand = hands_of(root)[0]
    scene = bpy.context.scene
    scene.frame_set(3)
    hand.pose.bones["index1"].rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    hand.pose.bones["index1"].keyframe_insert("rotation_quaternion", frame=3)
    bpy.ops.handheld.export_parameters(filepath=str(tmp_path / "out.npz"), form=form)
    if form == "take":
        back = takes.load(tmp_path / "out.npz")
    else:
        result = peers.read(Path(tmp_path / "out.npz"))
        back = convert.to_take(peers.Result(**{**vars(result), "model": "open"}), convert.Footage(), load_pair("open"))
    want, _ = rig.read_pose(hand)
    row = back.sides.index(hand.handheld.side)
    assert np.degrees(so3.angle_between(back.rotations[row, 2], want)).max() < 0.01
    there = take.status[row] != MISSING
    there[2] = False
    assert np.degrees(so3.angle_between(back.rotations[row, there], take.rotations[row, there])).max() < 0.01
    assert 1e3 * np.abs(back.transl[row, there] - take.transl[row, there]).max() < 0.01


def test_a_result_becomes_hands_and_camera(tmp_path):
    take = moving_take(frames=6, camera_kind="given")
    convert.export(take, tmp_path / "x_world_results.npz", "dyn-hamr", load_pair("open"))
    assert bpy.ops.handheld.import_result(filepath=str(tmp_path / "x_world_results.npz"), use_clip=False) == {
        "FINISHED"
    }
    root = next(candidate for candidate in bpy.context.scene.objects if candidate.handheld.role == "ROOT")
    hands = {hand.handheld.side: hand for hand in hands_of(root)}
    assert set(hands) == {"left", "right"}
    bpy.context.scene.frame_set(4)
    for row, side in enumerate(take.sides):
        rotations, _ = rig.read_pose(hands[side])
        assert np.degrees(so3.angle_between(rotations, take.rotations[row, 3])).max() < 0.01
    camera = next(child for child in root.children if child.type == "CAMERA")
    want = frames.camera_to_blender(take.world_from_camera)[3]
    np.testing.assert_allclose(np.array(camera.matrix_local), want, atol=1e-5)


def test_a_file_that_is_no_result_changes_nothing(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"rubbish")
    with pytest.raises(RuntimeError, match="could not be read"):
        bpy.ops.handheld.import_result(filepath=str(tmp_path / "x.pkl"))
    assert not bpy.context.scene.objects
