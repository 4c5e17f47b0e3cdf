"""Takes beside each other, hands and hints that a take or the next solve leaves behind: told, looked at, taken away."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, ghosts, hands, hints, rig, scene, take_list
from bl_ext.user_default.handheld.addon.hands import hands_of
from bl_ext.user_default.handheld.addon.take_to_scene import Surroundings
from movies import write_movie
from takes import moving_take

from solver import take as takes


@pytest.fixture
def root(tmp_path):
    """A clip's take of both hands; a second take with other motion is on disk."""
    movie = write_movie(tmp_path / "clip.mp4", frames=30, size=(640, 360))
    points = np.full((2, 30, 21, 2), 200.0)
    takes.save(moving_take(clip_path=str(movie), keypoints_px=points), tmp_path / "a.npz")
    takes.save(moving_take(clip_path=str(movie), seed=1), tmp_path / "b.npz")
    bpy.ops.handheld.import_take(filepath=str(tmp_path / "a.npz"))
    return scene.edited_root(bpy.context)


def placed(root, path):
    around = Surroundings(bpy.context.scene, root.handheld.clip, "open")
    return take_list.place(takes.load(path), str(path), around)


def wrists(things):
    bpy.context.view_layer.update()
    return {thing.name.split(" (")[0]: thing.matrix_world @ thing.pose.bones["wrist"].head for thing in things}


def test_another_take_is_shown_as_wires(root, tmp_path):
    bpy.context.scene.frame_set(5)
    former = wrists(hands_of(root))
    bpy.ops.handheld.new_take()
    placed(root, tmp_path / "b.npz")
    before = {thing.name for thing in bpy.data.objects}
    assert bpy.ops.handheld.compare_take(number=0) == {"FINISHED"}
    bpy.context.scene.frame_set(5)
    wires = [child for child in root.children if child.handheld.role == "GHOST"]
    shown = wrists(wires)
    assert set(shown) == set(former) and all((shown[name] - former[name]).length < 1e-5 for name in former)
    assert all((shown[name] - own).length > 1e-3 for name, own in wrists(hands_of(root)).items())
    meshes = [rig.mesh_of(wire) for wire in wires]
    assert all(thing.hide_render and thing.hide_select and thing.display_type == "WIRE" for thing in (*wires, *meshes))
    assert len(hands_of(root)) == 2
    bpy.ops.handheld.bake("EXEC_DEFAULT", hide_original=False)
    assert len([thing for thing in bpy.data.collections[f"{root.name} Baked"].objects if thing.type == "ARMATURE"]) == 2
    bpy.ops.handheld.compare_take(number=0)
    assert not ghosts.shown(root) and before <= {thing.name for thing in bpy.data.objects}
    bpy.ops.handheld.compare_take(number=0)
    assert bpy.ops.handheld.switch_take(number=0) == {"FINISHED"}  # what was compared is what is shown now
    assert not ghosts.shown(root)
    with pytest.raises(RuntimeError, match="is the one that is shown"):
        bpy.ops.handheld.compare_take(number=0)
    bpy.ops.handheld.compare_take(number=1)
    assert ghosts.shown(root)
    assert bpy.ops.handheld.remove_take(number=1) == {"FINISHED"}
    assert not ghosts.shown(root)  # nothing in the list could take them away
    bpy.ops.handheld.new_take()
    bpy.ops.handheld.switch_take(number=0)
    with pytest.raises(RuntimeError, match="Take 2 has none of these hands"):
        bpy.ops.handheld.compare_take(number=1)


def test_a_hand_that_is_kept_for_its_keys_alone_is_told(root, tmp_path):
    left = next(hand for hand in hands_of(root) if hand.handheld.side == "left")
    bpy.context.scene.frame_set(5)
    left.pose.bones["wrist"].keyframe_insert("location", frame=5)
    animation.claim(left, [hands.LOCATION], 5)
    takes.save(moving_take(sides=("right", "right")), tmp_path / "swapped.npz")
    placed(root, tmp_path / "swapped.npz")
    assert left in hands_of(root) and left.handheld.coverage == 0
    assert [hand.handheld.coverage > 0 for hand in hands_of(root) if hand != left] == [True, True]
    assert bpy.ops.handheld.remove_hand(hand=left.name) == {"FINISHED"}
    assert len(hands_of(root)) == 2


def test_hints_are_listed_and_taken_back_one_by_one(root):
    movie = root.handheld.clip
    bpy.context.scene.frame_set(7)
    bpy.ops.handheld.swap_hand(hand=hands_of(root)[0].name)
    bpy.context.scene.frame_set(9)
    bpy.ops.handheld.box_hand("EXEC_DEFAULT", corners=(0.25, 0.25, 0.75, 0.75))
    first, second = movie.handheld.hints
    assert [hints.described(first), hints.described(second)] == ["Other Side", "Hand Here"]
    bpy.ops.handheld.go_to_hint(number=0)
    assert bpy.context.scene.frame_current == 7 == hints.scene_frame(movie, first)
    bpy.ops.handheld.remove_hint(number=0)
    assert [hint.what for hint in movie.handheld.hints] == ["box"] and not hints.edits(movie)
    assert bpy.ops.handheld.remove_hint(number=3) == {"CANCELLED"}


def test_a_baked_copy_lies_alone_where_the_hands_were(root):
    bpy.ops.handheld.bake("EXEC_DEFAULT")
    assert all(hand.hide_get() and rig.mesh_of(hand).hide_get() for hand in hands_of(root))
    copies = bpy.data.collections[f"{root.name} Baked"].objects
    assert {copy.name.endswith(" Baked") for copy in copies} == {True}
    assert not any(copy.hide_get() for copy in copies)


def test_a_pin_that_no_frame_can_heed_is_told(root, capfd):
    left, right = hands_of(root)  # the left one is missing in frames 11 to 15
    for pin in (bpy.ops.handheld.ignore, bpy.ops.handheld.hold_still):
        assert pin("EXEC_DEFAULT", hand=left.name, first=11, last=15) == {"FINISHED"}
        assert "Left Hand is in no frame from 11 to 15" in capfd.readouterr().out
    bpy.ops.handheld.together("EXEC_DEFAULT", hand=left.name, other_hand=right.name, first=11, last=15)
    assert "Left Hand and Right Hand are in no frame from 11 to 15 together" in capfd.readouterr().out
    bpy.ops.handheld.ignore("EXEC_DEFAULT", hand=left.name, first=8, last=15)
    assert "in no frame" not in capfd.readouterr().out
