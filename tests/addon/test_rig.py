"""Hands as armatures: take -> bones -> take, and the skin against the solver's own."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, frames, rig, scene, take_to_scene
from bl_ext.user_default.handheld.addon.take_to_scene import Surroundings
from mathutils import Quaternion
from takes import moving_take

from solver import hand_model
from solver.hand_model import layout
from solver.hand_model import rotations as so3
from solver.take import MISSING

RNG = np.random.default_rng(11)
SIDES = ("left", "right")


def build_hand(side, betas=None):
    shaped = hand_model.load(side, "open").with_shape(np.zeros(10) if betas is None else betas)
    root = scene.build_root(bpy.context.scene, None, "Root", "ROOT")
    return rig.build(f"{side} hand", shaped, root.users_collection[0], root), shaped


def pose(armature, rotations, transl):
    rig.write_motion(armature, rig.HandMotion(np.array([1]), rotations[None], transl[None]))
    bpy.context.scene.frame_set(1)


def random_pose(scale=0.6):
    return so3.exp(RNG.normal(size=(16, 3)) * scale), RNG.normal(size=3)


@pytest.mark.parametrize("side", SIDES)
def test_bones_are_mano_joints(side):
    armature, shaped = build_hand(side, RNG.normal(size=10))
    bones = armature.data.bones
    assert [bone.name for bone in bones] == list(layout.JOINT_NAMES)
    heads = np.array([bone.head_local for bone in bones])
    np.testing.assert_allclose(heads, frames.points_to_blender(shaped.joints_rest), atol=1e-7)
    for name, parent in zip(layout.JOINT_NAMES, layout.PARENTS, strict=True):
        found = bones[name].parent
        assert (found.name if found else None) == (layout.JOINT_NAMES[parent] if parent >= 0 else None)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("trial", range(5))
def test_round_trip(side, trial):
    armature, _ = build_hand(side, RNG.normal(size=10))
    rotations, transl = random_pose(1.2)
    pose(armature, rotations, transl)
    read_rotations, read_transl = rig.read_pose(armature)
    assert np.degrees(so3.angle_between(rotations, read_rotations)).max() < 0.01
    assert 1e3 * np.linalg.norm(read_transl - transl) < 0.01


@pytest.mark.parametrize("side", SIDES)
def test_mesh_is_the_solvers_skin(side):
    armature, shaped = build_hand(side, RNG.normal(size=10))
    rotations, transl = random_pose()
    pose(armature, rotations, transl)
    mesh = rig.mesh_of(armature).evaluated_get(bpy.context.evaluated_depsgraph_get())
    vertices = np.empty(3 * len(mesh.data.vertices), np.float32)
    mesh.data.vertices.foreach_get("co", vertices)
    in_world = vertices.reshape(-1, 3) @ np.array(mesh.matrix_world)[:3, :3].T + np.array(mesh.matrix_world)[:3, 3]
    expected = frames.points_to_blender(skinned_without_correctives(shaped, rotations, transl))
    assert 1e3 * np.linalg.norm(in_world - expected, axis=1).max() < 0.1


def skinned_without_correctives(shaped, rotations, transl):
    """Linear blend skinning, from the definition."""
    posed = shaped.pose(rotations, transl)
    arms = shaped.vertices_rest[:, None] - shaped.joints_rest[None]
    carried = np.einsum("jab,vjb->vja", posed.global_rotations, arms) + posed.joints[None]
    return np.einsum("vj,vja->va", shaped.model.weights, carried)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("finger", layout.FINGERS)
def test_positive_x_bends_every_finger(side, finger):
    """On both hands a turn about +X brings the tip nearer to the wrist, the thumb's to the little finger."""
    armature, shaped = build_hand(side)
    joints = layout.FINGER_JOINTS[finger]
    goal_name = "pinky1" if finger == "thumb" else "wrist"
    for joint in joints:
        armature.pose.bones[layout.JOINT_NAMES[joint]].rotation_mode = "XYZ"
    distances = []
    for angle in (0.0, 0.4):
        for joint in joints:
            armature.pose.bones[layout.JOINT_NAMES[joint]].rotation_euler.x = angle
        bpy.context.view_layer.update()
        bones = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
        distances.append((bones[layout.JOINT_NAMES[joints[2]]].tail - bones[goal_name].head).length)
    assert distances[1] < distances[0] - 0.002


@pytest.mark.parametrize("side", SIDES)
def test_bending_is_to_the_palm_not_the_back(side):
    armature, shaped = build_hand(side)
    joints = frames.points_to_blender(shaped.joints_rest)
    palm = np.cross(joints[1] - joints[0], joints[7] - joints[0]) * (1 if side == "right" else -1)
    rest_tip = np.array(armature.data.bones["middle3"].tail_local)
    armature.pose.bones["middle1"].rotation_mode = "XYZ"
    armature.pose.bones["middle1"].rotation_euler.x = 0.5
    bpy.context.view_layer.update()
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert (np.array(evaluated.pose.bones["middle3"].tail) - rest_tip) @ palm > 0


def test_building_leaves_the_artists_mode_alone():
    mesh = bpy.data.objects.new("Mine", bpy.data.meshes.new("Mine"))
    bpy.context.scene.collection.objects.link(mesh)
    bpy.context.view_layer.objects.active = mesh
    mesh.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    scenes = len(bpy.data.scenes)
    armature, shaped = build_hand("left")
    rig.reshape(armature, hand_model.load("left", "open").with_shape(np.ones(10)))
    assert mesh.mode == "EDIT"
    assert bpy.context.view_layer.objects.active == mesh
    assert armature.mode == "OBJECT"
    assert len(bpy.data.scenes) == scenes


def test_reshaping_moves_joints_and_skin():
    armature, shaped = build_hand("right")
    other = shaped.model.with_shape(np.linspace(-2, 2, 10))
    rig.reshape(armature, other)
    heads = np.array([bone.head_local for bone in armature.data.bones])
    np.testing.assert_allclose(heads, frames.points_to_blender(other.joints_rest), atol=1e-7)
    vertices = np.array([vertex.co for vertex in rig.mesh_of(armature).data.vertices])
    np.testing.assert_allclose(vertices, frames.points_to_blender(other.vertices_rest), atol=1e-7)


@pytest.fixture
def built():
    take = moving_take(frames=40)
    root = take_to_scene.build(take, "a.npz", Surroundings(bpy.context.scene, None, "open"))
    return take, root


def test_take_to_armature_to_take(built):
    take, root = built
    for row, armature in enumerate(take_to_scene.hands_of(root)):
        there = take.status[row] != MISSING
        motion = rig.read_motion(armature, bpy.context.scene, take.frames[there])
        assert np.degrees(so3.angle_between(take.rotations[row, there], motion.rotations)).max() < 0.01
        assert 1e3 * np.linalg.norm(take.transl[row, there] - motion.transl, axis=1).max() < 0.01


def test_missing_frames_have_no_keys(built):
    take, root = built
    left, right = take_to_scene.hands_of(root)
    there = take.frames[take.status[0] != MISSING].tolist()
    pose_curves = [curve for curve in animation.curves(left) if curve.data_path.startswith("pose.")]
    assert len(pose_curves) == 16 * 4 + 3
    for curve in pose_curves:
        assert [key.co[0] for key in curve.keyframe_points] == there
    assert all(len(curve.keyframe_points) == 40 for curve in animation.curves(right))


def test_keys_are_generated_linear_and_never_flip(built):
    _, root = built
    for armature in take_to_scene.hands_of(root):
        for curve in animation.curves(armature):
            assert {key.type for key in curve.keyframe_points} == {"GENERATED"}
            assert {key.interpolation for key in curve.keyframe_points} == {"LINEAR"}
        for name in layout.JOINT_NAMES:
            path = f'pose.bones["{name}"].rotation_quaternion'
            curves = sorted((c for c in animation.curves(armature) if c.data_path == path), key=lambda c: c.array_index)
            assert {curve.group.name for curve in curves} == {name}
            quaternions = np.array([[key.co[1] for key in curve.keyframe_points] for curve in curves]).T
            assert (quaternions[1:] * quaternions[:-1]).sum(axis=1).min() > 0


def test_a_missing_hand_is_hidden(built):
    take, root = built
    left, right = (rig.mesh_of(armature) for armature in take_to_scene.hands_of(root))
    for t, frame in enumerate(take.frames):
        bpy.context.scene.frame_set(int(frame))
        missing = take.status[0, t] == MISSING
        assert (left.hide_viewport, left.hide_render) == (missing, missing)
        assert not right.hide_viewport
    assert animation.curves(right) == []


def test_confidence_channel(built):
    take, root = built
    left = take_to_scene.hands_of(root)[0]
    for t, frame in enumerate(take.frames):
        bpy.context.scene.frame_set(int(frame))
        assert left["confidence"] == pytest.approx(take.confidence[0, t], abs=1e-6)


def test_everything_hangs_below_one_root(built):
    _, root = built
    assert root.type == "EMPTY" and root.parent is None
    made = [o for o in bpy.context.scene.objects if o is not root]
    assert sorted(o.type for o in made) == ["ARMATURE", "ARMATURE", "CAMERA", "MESH", "MESH"]
    assert all(o in root.children_recursive for o in made)


def test_a_second_take_keeps_the_artists_keys_and_objects(built):
    take, root = built
    before = take_to_scene.hands_of(root)
    curve = next(c for c in animation.curves(before[1]) if c.data_path == 'pose.bones["wrist"].location')
    key = curve.keyframe_points.insert(7.0, 5.0)
    key.type, key.interpolation = "KEYFRAME", "BEZIER"
    root.location.x = 3.0
    again = take_to_scene.build(moving_take(frames=40, seed=5), "a.npz", Surroundings(bpy.context.scene, None, "open"))
    assert again == root and take_to_scene.hands_of(root) == before and root.location.x == 3.0
    curve = next(c for c in animation.curves(before[1]) if c.data_path == 'pose.bones["wrist"].location')
    mine = [key for key in curve.keyframe_points if key.type == "KEYFRAME"]
    assert [(key.co[0], key.co[1], key.interpolation) for key in mine] == [(7.0, 5.0, "BEZIER")]
    assert len(curve.keyframe_points) == 40


def test_new_keys_take_the_sign_of_the_artists_rotation(built):
    """-q is the rotation q: a solve that counts its signs from another frame must not whirl round the artist's key."""
    take, root = built
    right = take_to_scene.hands_of(root)[1]
    wrist = right.pose.bones["wrist"]
    for frame, sign in ((8, -1), (20, 1)):
        bpy.context.scene.frame_set(frame)
        wrist.rotation_quaternion = sign * (wrist.rotation_quaternion @ Quaternion((1, 0, 0), 0.1))
        wrist.keyframe_insert("rotation_quaternion", frame=frame)
    around = Surroundings(bpy.context.scene, None, "open")
    take_to_scene.build(take, "a.npz", around)
    curves = [c for c in animation.curves(right) if c.data_path == 'pose.bones["wrist"].rotation_quaternion']
    keys = np.array([[key.co[1] for key in curve.keyframe_points] for curve in curves]).T
    along = (keys[1:] * keys[:-1]).sum(axis=1)
    # the artist's two keys contradict each other, so one step before the second has to turn; frame f is row f - 1
    assert np.flatnonzero(along < 0).tolist() == [18]


def test_a_generated_key_that_the_artist_changed_is_the_artists(built, tmp_path):
    _, root = built
    right = take_to_scene.hands_of(root)[1]
    assert not animation.has_artist_keys(right)
    right.pose.bones["index1"].rotation_quaternion = (0.5, 0.5, 0.5, 0.5)
    right.pose.bones["index1"].keyframe_insert("rotation_quaternion", index=2, frame=9)
    wrist = next(c for c in animation.curves(right) if c.data_path == 'pose.bones["wrist"].location')
    wrist.keyframe_points[4].co = (5.5, 0.25)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edited.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "edited.blend"))
    around = Surroundings(bpy.context.scene, None, "open")
    root = take_to_scene.build(moving_take(frames=40, seed=5), "a.npz", around)
    left, right = take_to_scene.hands_of(root)
    assert animation.has_artist_keys(right) and not animation.has_artist_keys(left)
    mine = {
        (curve.data_path, curve.array_index): [tuple(key.co) for key in curve.keyframe_points if key.type == "KEYFRAME"]
        for curve in animation.curves(right)
    }
    mine = {channel: keys for channel, keys in mine.items() if keys}
    turned = 'pose.bones["index1"].rotation_quaternion'
    assert set(mine) == {*((turned, k) for k in range(4)), ('pose.bones["wrist"].location', 0)}
    assert {keys[0][0] for channel, keys in mine.items() if channel[0] == turned} == {9.0}
    assert mine[turned, 2] == [(9.0, 0.5)] and mine['pose.bones["wrist"].location', 0] == [(5.5, 0.25)]


def test_a_hand_that_is_gone_goes_unless_the_artist_keyed_it(built):
    _, root = built
    around = Surroundings(bpy.context.scene, None, "open")
    take_to_scene.build(moving_take(frames=40, sides=("left",)), "a.npz", around)
    assert [hand.handheld.side for hand in take_to_scene.hands_of(root)] == ["left"]
    assert len([o for o in bpy.data.objects if o.type == "MESH"]) == 1
    take_to_scene.hands_of(root)[0].keyframe_insert("location", frame=3)
    take_to_scene.build(moving_take(frames=40, sides=("right",)), "a.npz", around)
    assert {hand.handheld.side for hand in take_to_scene.hands_of(root)} == {"left", "right"}


def test_a_hand_that_is_missing_throughout_is_not_made():
    take = moving_take()
    take.status[1], take.rotations[1], take.transl[1] = MISSING, np.nan, np.nan
    root = take_to_scene.build(take, "a.npz", Surroundings(bpy.context.scene, None, "open"))
    assert [hand.handheld.side for hand in take_to_scene.hands_of(root)] == ["left"]


def test_two_hands_of_one_side_and_none():
    around = Surroundings(bpy.context.scene, None, "open")
    root = take_to_scene.build(moving_take(sides=("right", "right")), "b.npz", around)
    assert [hand.name for hand in take_to_scene.hands_of(root)] == ["Right Hand", "Right Hand 2"]
    root = take_to_scene.build(moving_take(sides=()), "c.npz", around)
    assert take_to_scene.hands_of(root) == []
