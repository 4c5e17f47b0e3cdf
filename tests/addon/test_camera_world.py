"""Handles on a solved world: what is moved at once, and what the next solve hears of it."""

from pathlib import Path

import bmesh
import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import (
    animation,
    camera_scene,
    camera_world,
    clip,
    frames,
    hands,
    keys_along,
    request,
    take_list,
    take_to_scene,
)
from bl_ext.user_default.handheld.addon.take_to_scene import Surroundings
from mathutils import Matrix, Vector
from movies import write_movie
from takes import moving_take

from solver import take as takes
from solver.camera.formats import npz

SIZE, FRAMES = (64, 36), 20
# solver axes: a floor 1.2 below the camera and tilted, and something above it
TILT = np.array([[1.0, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]])
POINTS = np.array([[-1.0, 1.2, 1.0], [1.0, 1.2, 1.0], [0.0, 1.2, 3.0], [0.5, 0.2, 2.0]]) @ TILT.T


def take(**changes):
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 0, 3] = np.linspace(0, 0.5, FRAMES)
    fields = {
        "frames": FRAMES, "size": SIZE, "intrinsics": np.array([60.0, 60.0, 32.0, 18.0]), "camera_kind": "general",
        "world_from_camera": poses, "points": POINTS, "point_errors_px": np.arange(4.0),
    }  # fmt: skip
    return moving_take(**{**fields, **changes})


@pytest.fixture
def root(tmp_path):
    movie = clip.load(str(write_movie(tmp_path / "clip.mp4", frames=FRAMES)))
    bpy.context.scene.handheld.clip = movie
    built = take_to_scene.build(take(), "a.npz", Surroundings(bpy.context.scene, movie, "open"))
    bpy.context.view_layer.update()
    return built


def test_a_take_tells_what_its_size_rests_on(root):
    assert root.handheld_world.told == ""
    told = {"metres_per_unit": 1.0, "low": 0.8, "high": 1.5, "determined": True, "cues": ["resting hands", "contact"]}
    known = take(camera_scale=told)
    camera_world.settle(root, known)
    assert root.handheld_world.told == (
        "Its size rests on resting hands and contact, and may be too large by 25 % or too small by 50 %."
    )
    camera_world.settle(root, take(camera_scale={**told, "determined": False, "cues": ["guess"]}))
    assert root.handheld_world.told.startswith("Its size is a guess, which may be 1.2 times too large or 1.5 times too")
    camera_world.settle(root, take(camera_scale={**told, "cues": ["measured"]}))
    assert root.handheld_world.told == "Its size is as you measured it."


def child(root, role):
    return next(candidate for candidate in root.children if candidate.handheld.role == role)


def vertices(root):
    mesh = child(root, "POINTS")
    return [mesh.matrix_world @ vertex.co for vertex in mesh.data.vertices]


@pytest.fixture
def pick(root):
    """Select vertices of the scene points in edit mode."""

    def choose(*indices):
        if bpy.context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        bpy.ops.object.select_all(action="DESELECT")
        mesh = child(root, "POINTS")
        bpy.context.view_layer.objects.active = mesh
        bpy.ops.object.mode_set(mode="EDIT")
        edited = bmesh.from_edit_mesh(mesh.data)
        for vertex in edited.verts:
            vertex.select_set(vertex.index in indices)
        bmesh.update_edit_mesh(mesh.data)

    yield choose
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def refused(operator, **arguments):
    with pytest.raises(RuntimeError) as caught:
        operator(**arguments)
    return str(caught.value)


# --- what a solve leaves


def test_points_path_and_quality_are_there(root):
    points, path = child(root, "POINTS"), child(root, "PATH")
    np.testing.assert_allclose(vertices(root), frames.points_to_blender(POINTS), atol=1e-6)
    assert [item.value for item in points.data.attributes[camera_scene.ERROR].data] == [0, 1, 2, 3]
    assert len(path.data.splines[0].points) == FRAMES and path.hide_render and points.hide_render
    assert path.data.splines[0].points[-1].co[0] == pytest.approx(0.5)


def test_quality_is_keyed_where_it_was_measured(root):
    error = np.linspace(0.5, 1.5, FRAMES)
    error[4:9] = np.nan
    take_to_scene.build(take(camera_error_px=error), "b.npz", Surroundings(bpy.context.scene, None, "open"))
    camera = bpy.context.scene.camera
    curve = next(c for c in _curves(camera) if c.data_path == '["solve_error_px"]')
    assert len(curve.keyframe_points) == FRAMES - 5 and {key.type for key in curve.keyframe_points} == {"GENERATED"}
    bpy.context.scene.frame_set(FRAMES)
    assert camera["solve_error_px"] == pytest.approx(1.5)


def _curves(target):
    from bl_ext.user_default.handheld.addon import animation

    return animation.curves(target)


def test_a_new_take_replaces_points_but_keeps_what_the_artist_did(root, pick):
    pick(0)
    bpy.ops.mesh.delete(type="VERT")
    bpy.ops.object.mode_set(mode="OBJECT")
    edited = child(root, "POINTS").data
    around = Surroundings(bpy.context.scene, bpy.context.scene.handheld.clip, "open")
    take_to_scene.build(take(), "b.npz", around)
    assert len(vertices(root)) == 4 and len(edited.vertices) == 3 and edited.use_fake_user
    before = len(bpy.data.meshes)
    take_to_scene.build(take(points=POINTS[:3], point_errors_px=np.zeros(3)), "c.npz", around)
    assert len(vertices(root)) == 3 and len(bpy.data.meshes) == before
    take_to_scene.build(take(points=np.zeros((0, 3)), point_errors_px=np.zeros(0)), "d.npz", around)
    assert not [c for c in root.children if c.handheld.role == "POINTS"]


# --- handles


def test_floor_from_three_points(root, pick):
    pick(0, 1, 2)
    assert bpy.ops.handheld.set_floor() == {"FINISHED"}
    bpy.context.view_layer.update()
    heights = [point.z for point in vertices(root)]
    np.testing.assert_allclose(heights[:3], 0, atol=1e-5)
    camera = bpy.context.scene.camera
    assert heights[3] > 0.9 and camera.matrix_world.translation.z == pytest.approx(1.2, abs=1e-4)


def test_floor_below_a_hand(root):
    hand = take_to_scene.hands_of(root)[1]
    bpy.context.view_layer.objects.active = hand
    assert bpy.ops.handheld.set_floor() == {"FINISHED"}
    bpy.context.view_layer.update()
    tips = [hand.matrix_world @ hand.pose.bones[f"{name}3"].tail for name in ("thumb", "index", "middle", "pinky")]
    assert abs(np.mean([tip.z for tip in tips])) < 0.02


def test_too_few_points_and_points_on_a_line_are_told(root, pick):
    pick(0, 1)
    assert "needs three points; selected: 2" in refused(bpy.ops.handheld.set_floor)
    before = root.matrix_world.copy()
    mesh = child(root, "POINTS")
    bpy.ops.object.mode_set(mode="OBJECT")
    for index, x in enumerate((0.0, 1.0, 2.0)):
        mesh.data.vertices[index].co = (x, 1, 1)
    pick(0, 1, 2)
    assert "lie on one line" in refused(bpy.ops.handheld.set_floor)
    assert root.matrix_world == before and not root.handheld_world.is_placed


def test_origin_is_where_the_point_is(root, pick):
    pick(3)
    bpy.ops.handheld.set_origin()
    bpy.context.view_layer.update()
    assert vertices(root)[3].length < 1e-6
    pick()
    assert "No point is selected" in refused(bpy.ops.handheld.set_origin)


def test_empties_can_be_picked(root):
    for x in (1.0, 3.0):
        marker = bpy.data.objects.new("Marker", None)
        bpy.context.scene.collection.objects.link(marker)
        marker.location, marker.parent = (x, 0, 0), root
        marker.select_set(True)
    bpy.context.view_layer.update()
    bpy.ops.handheld.set_scale(distance=1.0)
    bpy.context.view_layer.update()
    assert root.scale[0] == pytest.approx(0.5)


def test_a_known_length_in_the_scene(root, pick):
    pick(0, 1)
    bpy.ops.handheld.set_scale(distance=5.0)
    bpy.context.view_layer.update()
    a, b = vertices(root)[:2]
    assert (a - b).length == pytest.approx(5.0, rel=1e-5)
    assert root.handheld_world.scaled_by == "SCENE" and root.handheld_world.scale == pytest.approx(2.5)


def test_two_bones_of_a_hand_tell_the_hands_length(root):
    hand = take_to_scene.hands_of(root)[0]
    length = camera_world.hand_length(hand)
    bpy.context.view_layer.objects.active = hand
    bpy.ops.object.mode_set(mode="POSE")
    for bone in hand.pose.bones:  # selection moved from the bone to its pose in 5.0
        (bone if hasattr(bone, "select") else bone.bone).select = bone.name in ("index1", "index2")
    bpy.ops.handheld.set_scale(distance=2 * camera_world.picked_distance(bpy.context))
    bpy.ops.object.mode_set(mode="OBJECT")
    assert root.handheld_world.scaled_by == "HAND"
    assert root.handheld_world.hand_length == pytest.approx(2 * length, rel=1e-4)


def test_a_known_hand_and_a_known_camera_height(root, pick):
    hand = take_to_scene.hands_of(root)[0]
    bpy.context.view_layer.objects.active = hand
    bpy.ops.handheld.set_hand_length(distance=0.2)
    bpy.context.view_layer.update()
    assert camera_world.hand_length(hand) == pytest.approx(0.2, rel=1e-5)
    root.location.z -= 5
    bpy.context.view_layer.update()
    assert "not above the floor" in refused(bpy.ops.handheld.set_camera_height, distance=1.7)
    pick(0, 1, 2)
    bpy.ops.handheld.set_floor()
    bpy.context.view_layer.update()
    bpy.ops.handheld.set_camera_height(distance=1.7)
    bpy.context.view_layer.update()
    assert bpy.context.scene.camera.matrix_world.translation.z == pytest.approx(1.7, rel=1e-5)
    np.testing.assert_allclose([point.z for point in vertices(root)[:3]], 0, atol=1e-5)


def test_the_slider_and_reset(root):
    root.handheld_world.scale = 1.8
    assert root.scale[:] == pytest.approx((1.8,) * 3)
    bpy.ops.handheld.reset_world()
    assert root.matrix_world == Matrix.Identity(4) and root.handheld_world.scaled_by == "NONE"


# --- the next solve


def test_nothing_set_says_nothing(root):
    assert "world" not in request.build(bpy.context)[0].options


def test_the_next_solve_keeps_the_world_and_takes_the_size_over(root, pick):
    pick(0, 1, 2)
    bpy.ops.handheld.set_floor()
    pick(0, 1)
    bpy.ops.handheld.set_scale(distance=4.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    pin = root.handheld_edit.pins.add()
    pin.position, pin.frame = (1.0, 2.0, 3.0), FRAMES
    bpy.context.view_layer.update()
    options = request.build(bpy.context)[0].options
    assert options["world_scale"] == pytest.approx(2.0) and options["hand_length_m"] is None
    wanted = npz.read(Path(options["world"]), SIZE)
    np.testing.assert_allclose(wanted.world_from_camera[:, 0, 3], np.linspace(0, 1.0, FRAMES), atol=1e-6)

    before, pinned = _seen(root), root.matrix_world @ Vector(pin.position)
    eye = bpy.context.scene.camera.matrix_world.translation.copy()
    larger = take(
        world_from_camera=wanted.world_from_camera, points=2 * POINTS, provenance={"options": options}, sides=()
    )
    around = Surroundings(bpy.context.scene, bpy.context.scene.handheld.clip, "open")
    for _ in range(2):  # the same take twice changes nothing more
        take_to_scene.build(larger, "b.npz", around)
        bpy.context.view_layer.update()
        assert root.scale[:] == (1.0, 1.0, 1.0)
        np.testing.assert_allclose(_seen(root), before, atol=1e-5)
        # seen in the same place, as far from the camera as the hands, which are as large as before
        np.testing.assert_allclose(root.matrix_world @ Vector(pin.position), eye + (pinned - eye) / 2, atol=1e-5)
    again = request.build(bpy.context)[0].options
    assert again["world_scale"] == pytest.approx(1.0)


def test_a_new_take_comes_in_the_world_of_the_one_before(root, pick, tmp_path):
    takes.save(take(), tmp_path / "a.npz")
    root.handheld.take = str(tmp_path / "a.npz")
    take_list.record(bpy.context.scene, root)
    bpy.ops.handheld.new_take()
    pick(0, 1)
    bpy.ops.handheld.set_scale(distance=4.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    options = request.build(bpy.context)[0].options
    assert options["world_scale"] == pytest.approx(2.0)  # though the camera has no keys now
    wanted = npz.read(Path(options["world"]), SIZE)
    np.testing.assert_allclose(wanted.world_from_camera[:, 0, 3], np.linspace(0, 1.0, FRAMES), atol=1e-6)


def test_pins_stay_with_the_camera_when_takes_are_switched(root):
    small, path = take(), take().world_from_camera.copy()
    path[:, :3, 3] *= 2
    pin = root.handheld_edit.pins.add()
    pin.position, pin.frame = (1.0, 2.0, 3.0), FRAMES
    camera_world.pins_into(root, small, take(world_from_camera=path))
    np.testing.assert_allclose(pin.position, (1.0 + path[-1, 0, 3] / 2, 2.0, 3.0), atol=1e-6)
    camera_world.pins_into(root, take(world_from_camera=path), small)
    np.testing.assert_allclose(pin.position, (1.0, 2.0, 3.0), atol=1e-6)


def test_keys_of_the_artist_stay_and_are_brought_along_when_told(root, tmp_path):
    takes.save(take(), tmp_path / "a.npz")
    root.handheld.take = str(tmp_path / "a.npz")
    hand = next(child for child in root.children if child.handheld.role == "HAND")
    wrist = hand.pose.bones["wrist"]
    bpy.context.scene.frame_set(FRAMES)
    wrist.location = wrist.location + Vector((0.1, 0.0, 0.0))
    wrist.keyframe_insert("location", frame=FRAMES)
    eye, keyed = bpy.context.scene.camera.matrix_world.translation.copy(), animation.keys_of(hand, [hands.LOCATION])
    before = _wrist(hand) - np.array(eye)

    path = take().world_from_camera.copy()
    path[:, :3, 3] *= 2
    around = Surroundings(bpy.context.scene, bpy.context.scene.handheld.clip, "open")
    take_list.place(take(world_from_camera=path), str(tmp_path / "b.npz"), around)
    np.testing.assert_array_equal(animation.keys_of(hand, [hands.LOCATION]), keyed)  # bit for bit
    assert keys_along.count(root) == 1
    assert bpy.ops.handheld.bring_keys() == {"FINISHED"}
    assert keys_along.count(root) == 0 and len(animation.artist_frames(hand)[hands.LOCATION]) == 1
    bpy.context.scene.frame_set(FRAMES)
    moved = np.array(bpy.context.scene.camera.matrix_world.translation)
    assert np.linalg.norm(moved - np.array(eye)) > 0.2
    np.testing.assert_allclose(_wrist(hand) - moved, before, atol=1e-5)


def test_a_key_that_was_set_anew_is_not_brought_along(root, tmp_path):
    takes.save(take(), tmp_path / "a.npz")
    root.handheld.take = str(tmp_path / "a.npz")
    hand = next(child for child in root.children if child.handheld.role == "HAND")
    wrist = hand.pose.bones["wrist"]
    for frame in (4, 6, FRAMES):
        bpy.context.scene.frame_set(frame)
        wrist.location = wrist.location + Vector((0.1, 0.0, 0.0))
        wrist.keyframe_insert("location", frame=frame)
    path = take().world_from_camera.copy()
    path[:, :3, 3] += (0.5, 0.25, 0.125)
    takes.save(take(world_from_camera=path), tmp_path / "b.npz")
    takes.save(take(), tmp_path / "c.npz")
    around = Surroundings(bpy.context.scene, bpy.context.scene.handheld.clip, "open")
    take_list.place(take(world_from_camera=path), str(tmp_path / "b.npz"), around)
    assert keys_along.count(root) == 3
    hand.name = "Renamed"
    wrist.keyframe_delete("location", frame=6)
    bpy.context.scene.frame_set(4)
    wrist.location = (1.0, 2.0, 3.0)
    wrist.keyframe_insert("location", frame=4)
    assert keys_along.count(root) == 1

    before = animation.values_at(hand, hands.LOCATION, [4, FRAMES], (0, 0, 0))
    bpy.ops.handheld.bring_keys()
    moved = animation.values_at(hand, hands.LOCATION, [4, FRAMES], (0, 0, 0)) - before
    np.testing.assert_array_equal(moved[0], 0)
    assert np.linalg.norm(moved[1]) == pytest.approx(np.linalg.norm((0.5, 0.25, 0.125)), abs=1e-5)
    # ... and it is as if it had been set there: what comes back to the first world is told anew
    take_list.place(take(), str(tmp_path / "c.npz"), around)
    assert keys_along.count(root) == 2
    take_list.place(take(world_from_camera=path), str(tmp_path / "d.npz"), around)
    assert keys_along.count(root) == 0


def test_a_take_of_the_same_world_leaves_no_key_behind(root, tmp_path):
    takes.save(take(), tmp_path / "a.npz")
    root.handheld.take = str(tmp_path / "a.npz")
    hand = next(child for child in root.children if child.handheld.role == "HAND")
    hand.pose.bones["wrist"].keyframe_insert("location", frame=3)
    around = Surroundings(bpy.context.scene, bpy.context.scene.handheld.clip, "open")
    take_list.place(take(), str(tmp_path / "b.npz"), around)
    assert keys_along.count(root) == 0


def _wrist(hand):
    bpy.context.view_layer.update()
    return np.array(hand.matrix_world @ hand.pose.bones["wrist"].head)


def _seen(root):
    """Where camera and points stand in the scene."""
    places = []
    for frame in (1, FRAMES):
        bpy.context.scene.frame_set(frame)
        places.append(bpy.context.scene.camera.matrix_world.translation)
    return np.array([*places, *vertices(root)])


def test_a_known_hand_is_told_to_the_solver(root):
    bpy.context.view_layer.objects.active = take_to_scene.hands_of(root)[0]
    bpy.ops.handheld.set_hand_length(distance=0.21)
    options = request.build(bpy.context)[0].options
    assert options["hand_length_m"] == pytest.approx(0.21) and options["world_scale"] == pytest.approx(root.scale[0])


def test_hands_beside_a_camera_in_other_units(root):
    """The artist's camera in centimetres: the solver found 0.01 m a unit, and the hands come as large as the scene."""
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 0, 3] = np.linspace(0, 50, FRAMES)
    mine = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    bpy.context.scene.collection.objects.link(mine)
    for frame, matrix in enumerate(frames.camera_to_blender(poses), start=1):
        mine.matrix_world = Matrix(matrix)
        mine.keyframe_insert("location", frame=frame)
    movie = bpy.context.scene.handheld.clip
    for options, scale in (({"camera_scale": 1.0}, 1.0), ({"camera_scale": "hands"}, 100.0)):
        around = Surroundings(bpy.context.scene, movie, "open", camera=mine)
        for _ in range(2):
            take_to_scene.build(take(provenance={"options": options}), "b.npz", around)
            bpy.context.view_layer.update()
            assert root.scale[:] == pytest.approx((scale,) * 3, rel=1e-4)


def test_one_undo_takes_a_handle_back(root):
    name = root.name
    bpy.ops.ed.undo_push(message="before")
    root.handheld_world.scale = 3.0
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert bpy.data.objects[name].scale[0] == pytest.approx(1.0)
    assert bpy.data.objects[name].handheld_world.scaled_by == "NONE"
