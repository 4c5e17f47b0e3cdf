"""Hands and cameras that an artist parented elsewhere, or deleted, and whose they are."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import (
    animation,
    frames,
    hands,
    pinned_camera,
    pins,
    request,
    rig,
    scene,
    take_files,
    take_list,
    wishes,
)
from bl_ext.user_default.handheld.addon.hands import hands_of
from bl_ext.user_default.handheld.addon.retarget import session
from bl_ext.user_default.handheld.addon.take_to_scene import Surroundings
from bl_ext.user_default.handheld.solver.errors import SolverError
from mathutils import Matrix, Vector
from movies import write_movie
from takes import moving_take

from solver import take as takes


@pytest.fixture
def root(tmp_path):
    return imported(tmp_path / "a.npz")


def imported(path, **changes):
    takes.save(moving_take(camera_kind="given", **changes), path)
    before = set(bpy.data.objects)
    bpy.ops.handheld.import_take(filepath=str(path), use_clip=False)
    return next(thing for thing in bpy.context.scene.objects if thing not in before and thing.handheld.role == "ROOT")


def hand(root, side):
    return next(found for found in hands_of(root) if found.handheld.side == side)


def placed_again(root):
    take = take_files.of_root(root)
    return take_list.place(take, str(take_files.path_of(root)), Surroundings(bpy.context.scene, None, "open"))


def test_what_is_parented_elsewhere_stays_the_takes(root, tmp_path):
    other = imported(tmp_path / "b.npz", seed=1)
    left, camera = hand(root, "left"), pinned_camera.of_root(root)
    assert hands.taken_away(root) == []
    empty = bpy.data.objects.new("Rig", None)
    bpy.context.collection.objects.link(empty)
    left.parent, camera.parent = None, empty
    assert {found.handheld.side for found in hands_of(root)} == {"left", "right"} and len(hands_of(other)) == 2
    assert pinned_camera.of_root(root) == camera and set(hands.taken_away(root)) == {left, camera}
    bpy.context.view_layer.objects.active = left.children[0]
    assert scene.edited_root(bpy.context) == root and hands.active(bpy.context, root) == left
    for chosen in bpy.context.selected_objects:
        chosen.select_set(False)
    left.select_set(True)
    assert set(session.hands(bpy.context.scene)) == set(hands_of(root))
    count = len(bpy.data.objects)
    assert placed_again(root) == root and len(bpy.data.objects) == count


def test_they_are_known_after_save_and_load(root, tmp_path):
    hand(root, "left").parent = None
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert len(hands_of(scene.edited_root(bpy.context))) == 2


def test_files_of_earlier_versions_get_their_marks_when_they_are_opened(root, tmp_path):
    for thing in bpy.data.objects:
        thing.handheld.belongs_to = thing.handheld.mark = ""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    root = scene.edited_root(bpy.context)
    hand(root, "left").parent = None
    assert len(hands_of(root)) == 2


def test_a_duplicate_that_is_parented_elsewhere_is_the_artists(root):
    left = hand(root, "left")
    twin = left.copy()
    twin.name, twin.parent = "A", None
    bpy.context.collection.objects.link(twin)
    assert hand(root, "left") == left and hands.taken_away(root) == []


def test_what_hangs_below_another_root_is_that_ones(root, tmp_path):
    other = imported(tmp_path / "b.npz", sides=("right",), seed=1)
    left = hand(root, "left")
    left.parent = other
    assert left in hands_of(other) and left not in hands_of(root)


def deleted(thing):
    for other in bpy.context.scene.objects:
        other.select_set(other == thing)
    assert bpy.ops.object.delete() == {"FINISHED"}


def test_a_deleted_hand_that_a_pin_names_comes_back_with_the_next_take(root):
    left = hand(root, "left")
    bpy.context.view_layer.objects.active = left
    assert bpy.ops.handheld.pin_pose(hand=left.name, tolerance_mm=3.0) == {"FINISHED"}
    deleted(left)
    assert [found.handheld.side for found in hands_of(root)] == ["right"]
    assert pins.described(root.handheld_edit.pins[0]) == "(hand removed), pose"
    assert [mesh.name for mesh in hands.left_meshes(root)] == ["Left Hand Mesh"]
    count = len(bpy.data.objects)
    placed_again(root)
    assert hand(root, "left").name == "Left Hand" and rig.mesh_of(hand(root, "left")).name == "Left Hand Mesh"
    assert pins.described(root.handheld_edit.pins[0]) == "Left Hand, pose" and len(bpy.data.objects) == count
    assert not hands.left_meshes(root)
    assert len(animation.generated_frames(hand(root, "left"), hands.LOCATION)) == 25


def test_the_next_hand_takes_over_the_mesh_that_a_deleted_one_left(root):
    """With what the artist made of it; one that was deleted with its armature is made anew."""
    mesh = rig.mesh_of(hand(root, "left"))
    mesh.data.materials[0] = bpy.data.materials.new("Skin")
    deleted(hand(root, "left"))
    assert hands.left_meshes(root) == [mesh]
    placed_again(root)
    assert hands.left_meshes(root) == []
    skinned = rig.mesh_of(hand(root, "left"))
    assert skinned == mesh and skinned.data.materials[0].name == "Skin"
    assert [modifier.object for modifier in skinned.modifiers] == [hand(root, "left")]
    assert bpy.ops.handheld.pin_pose(hand="Left Hand", tolerance_mm=3.0) == {"FINISHED"}
    deleted(mesh)
    deleted(hand(root, "left"))
    placed_again(root)
    assert rig.mesh_of(hand(root, "left")).name == "Left Hand Mesh"


def test_a_pin_of_a_hand_that_is_parented_elsewhere_is_in_its_space(root):
    """The root was moved since: what is pinned is where the hand is seen."""
    left = hand(root, "left")
    left.parent = None
    left.location = (0.0, 0.0, 1.0)
    root.matrix_world = Matrix.Translation((1, 2, 3))
    bpy.context.view_layer.update()
    bpy.context.scene.frame_set(3)
    tip = Vector(hands.keypoints(left)[8])
    pin = pins.pin_point(bpy.context.scene, root, left, "INDEX_TIP", tip, "PLACE")
    assert (pins.place_of(pin) - tip).length < 1e-6
    row = next(row for row, armature in hands.by_row(root, take_files.of_root(root)).items() if armature == left)
    (wish,) = wishes.gather(root, {row: left}, 3, 3, 0)
    at_rest = hands.keyed_motion(left, np.array([3]))
    wrist = at_rest.transl[0] + hands.wrist_at_rest(left)
    seen = frames.points_to_solver(np.array(tip - Vector(hands.keypoints(left)[0])))
    np.testing.assert_allclose(wish.position - wrist, seen, atol=1e-5)


def test_a_camera_whose_motion_is_linked_is_told_before_a_solve(root, tmp_path):
    clip = bpy.data.movieclips.load(str(write_movie(tmp_path / "clip.mp4")))
    root.handheld.clip = bpy.context.scene.handheld.clip = clip
    camera = pinned_camera.of_root(root)
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {camera.animation_data.action})
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (there, wanted):
        wanted.actions = list(there.actions)
    animation.assign(camera, wanted.actions[0])
    with pytest.raises(SolverError, match="motion of Camera is linked from library.blend"):
        request.build(bpy.context)


def test_keys_are_written_to_a_hand_that_is_parented_elsewhere(root):
    left = hand(root, "left")
    left.parent = None
    location = left.pose.bones["wrist"]
    bpy.context.scene.frame_set(3)
    before = location.location.copy()
    root.matrix_world = Matrix.Translation((1, 2, 3))
    placed_again(root)
    bpy.context.scene.frame_set(3)
    np.testing.assert_allclose(location.location, before, atol=1e-6)


def test_hands_without_their_root_are_told(root):
    bpy.data.objects.remove(root)
    with pytest.raises(RuntimeError, match="The Empty above these hands is gone"):
        bpy.ops.handheld.resolve()
