"""Maps of rigs' bones as files, the operators, and Blender's Euler angles."""

import bpy
import numpy as np
import pytest
import rigs
from bl_ext.user_default.handheld.addon import channels, rig
from bl_ext.user_default.handheld.addon.retarget import (
    rig_map,
    session,
)
from hand_poses import five_poses
from mathutils import Euler
from retargeting import (
    FRAMES,
    REACH,
    solved_hands,
)

from solver.hand_model import rotations as so3

# --- maps and operators -----------------------------------------------------------------------------------------------


def test_maps_are_files(tmp_path):
    armature = rigs.rigify()
    settings = bpy.context.scene.handheld_retarget
    settings.target = armature
    assert bpy.ops.handheld.detect_rig() == {"FINISHED"}
    next(item for item in settings.slots if item.name == "left.index.3").bone = ""
    bpy.ops.handheld.save_rig_map(filepath=str(tmp_path / "mine.json"))
    saved = rig_map.read(tmp_path / "mine.json")
    assert saved.finger("left", "index") == ("f_index.01.L", "f_index.02.L")
    assert saved.switches and saved.rest and saved.swing_only
    bpy.ops.handheld.detect_rig()
    bpy.ops.handheld.load_rig_map(filepath=str(tmp_path / "mine.json"))
    assert "left.index.3" not in {item.name for item in settings.slots}
    (tmp_path / "bad.json").write_text('{"format": "handheld-rig-map", "version": 1, "bones": {"left.tail": "x"}}')
    with pytest.raises(RuntimeError, match=r"left\.tail"):
        bpy.ops.handheld.load_rig_map(filepath=str(tmp_path / "bad.json"))


def test_operators_and_live_link():
    armature = rigs.unreal()
    hands = solved_hands()
    settings = bpy.context.scene.handheld_retarget
    settings.target = armature
    bpy.context.view_layer.update()
    assert bpy.ops.handheld.test_retarget() == {"FINISHED"}
    assert bpy.ops.handheld.retarget() == {"FINISHED"}
    assert settings.map_name == "Unreal Engine, Manny / MetaHuman"
    settings.use_live = True
    bpy.context.scene.frame_set(1)
    before = armature.pose.bones["index_01_l"].matrix.copy()
    rotations, transl = five_poses("left", REACH["left"])
    rig.write_motion(hands[0], rig.HandMotion(FRAMES, rotations[[1, 1, 1, 1, 1]], transl))
    bpy.context.scene.frame_set(1)
    hands[0].update_tag()
    bpy.context.view_layer.update()
    session.refresh_pending()
    bpy.context.scene.frame_set(1)
    turned = before.to_quaternion().rotation_difference(armature.pose.bones["index_01_l"].matrix.to_quaternion()).angle
    assert turned > 0.5


def test_an_armature_without_hands_is_said():
    armature = rigs.build(
        "Snake", [rigs.Bone("a", "", np.zeros(3), np.ones(3)), rigs.Bone("b", "a", np.ones(3), 2 * np.ones(3))]
    )
    bpy.context.scene.handheld_retarget.target = armature
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="No hand was found"):
        bpy.ops.handheld.detect_rig()


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_euler_angles_are_blenders(order):
    rng = np.random.default_rng(2)
    rotations = np.concatenate([so3.exp(rng.normal(0, 2, (20, 3))), so3.exp(np.eye(3) * np.pi / 2)])
    for rotation, angles in zip(rotations, channels.euler(rotations, order), strict=True):
        np.testing.assert_allclose(np.array(Euler(angles, order).to_matrix()), rotation, atol=1e-6)
    smooth = so3.exp(np.linspace(0, 20, 400)[:, None] * np.array([0.2, 0.9, 0.4]))
    values = channels.values(smooth, order)
    for rotation, angles in zip(smooth, values, strict=True):
        np.testing.assert_allclose(np.array(Euler(angles, order).to_matrix()), rotation, atol=1e-6)
    assert np.abs(np.diff(values, axis=0)).max() < 1.0
