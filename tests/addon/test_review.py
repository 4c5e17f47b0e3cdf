"""What the artist is told of the solver's doubts."""

import dataclasses

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, certainty, review, scene, solve
from bl_ext.user_default.handheld.addon.hands import hands_of
from solved import resolve, solver_command
from takes import moving_take

from solver import take as takes
from solver.take import RESTING


def doubtful(**changes):
    """The right hand's index finger is unsure from row 20 on; both hands are somewhere in the picture."""
    take = moving_take()
    sigma = np.full(take.joint_sigma.shape, 0.002)
    sigma[1, 20:, 8] = 0.2
    points = np.random.default_rng(1).uniform([100, 100], [160, 160], (2, 30, 21, 2))
    points[1] += [250, 100]
    fields = {
        "joint_sigma": sigma,
        "keypoints_px": points,
        "keypoint_covariance_px": np.tile(np.eye(2), (2, 30, 21, 1, 1)),
        "reprojection_px": np.full((2, 30), 1.5),
    }
    return moving_take(**{**fields, **changes})


def imported(take, tmp_path):
    takes.save(take, tmp_path / "doubtful.npz")
    bpy.ops.handheld.import_take(filepath=str(tmp_path / "doubtful.npz"), use_clip=False)
    return scene.edited_root(bpy.context)


def test_each_finger_s_confidence_is_keyed(tmp_path):
    right = hands_of(imported(doubtful(), tmp_path))[1]
    values = animation.values_at(right, '["confidence_index"]', [5, 25], [0])[:, 0]
    assert values[0] > 0.9 and values[1] < 0.1
    assert animation.values_at(right, '["confidence_thumb"]', [25], [0])[0, 0] > 0.9
    bpy.context.scene.frame_set(25)
    assert right["confidence_index"] < 0.1


def test_weak_stretches_and_the_way_from_one_to_the_next(tmp_path):
    root = imported(doubtful(), tmp_path)
    assert list(review.weak_stretches(root, 0.5).values()) == [[(11, 15)], [(21, 30)]]
    bpy.context.scene.frame_set(1)
    visited = []
    while bpy.ops.handheld.next_weak() == {"FINISHED"}:
        visited.append(bpy.context.scene.frame_current)
    bpy.context.scene.frame_set(18)
    assert visited == [11, 21]
    bpy.ops.handheld.next_weak(step=-1)
    assert bpy.context.scene.frame_current == 11


def test_why_in_words():
    points = doubtful().keypoints_px
    points[1, 3] += [300, 0]
    points[1, 4] = points[0, 4]
    covariance = np.tile(np.eye(2), (2, 30, 21, 1, 1))
    covariance[1, 5] *= 100
    error = np.full((2, 30), 1.5)
    error[1, 6] = 40
    take = doubtful(keypoints_px=points, keypoint_covariance_px=covariance, reprojection_px=error)
    left, right = (certainty.of_hand(take, row) for row in (0, 1))
    assert list(right.reason[2:7]) == ["", "outside", "hidden", "blurred", "apart"]
    resting = take.status.copy()
    resting[1, 20:] = RESTING
    rested = certainty.of_hand(dataclasses.replace(take, status=resting), 1)
    assert "at rest" in certainty.described(rested, 25) and rested.coverage() == (
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
    )
    assert left.reason[12] == "undetected" and left.reason[15] == "infilled"
    assert "1.5 px off" in certainty.described(right, 2) and "unsure of index" in certainty.described(right, 25)
    assert left.coverage() == (pytest.approx(24 / 30), pytest.approx(1 / 30))


def test_a_take_that_tells_little_is_no_harm(tmp_path):
    root = imported(moving_take(), tmp_path)
    assert list(review.weak_stretches(root, 0.5).values()) == [[(11, 15)], []]
    bpy.context.scene.frame_set(30)
    assert bpy.ops.handheld.next_weak() == {"CANCELLED"}


@pytest.fixture
def judged(take_path, tmp_path, monkeypatch):
    """The real solver beside a take that knows its errors in px; frames 521 to 560 to work on."""
    path = tmp_path / "judged.npz"
    whole = takes.load(take_path)
    sigma = np.full(whole.joint_sigma.shape, 0.02)
    takes.save(dataclasses.replace(whole, reprojection_px=np.full(whole.status.shape, 2.0), joint_sigma=sigma), path)
    monkeypatch.setattr(solve, "command", lambda context: solver_command())
    bpy.ops.handheld.import_take(filepath=str(path), use_clip=False)
    editing = bpy.context.scene.handheld_editing
    editing.first, editing.last = 521, 560
    bpy.context.scene.frame_set(540)
    bpy.ops.ed.undo_push(message="Solved")
    return scene.edited_root(bpy.context)


def left_now():
    return review.of_root(scene.edited_root(bpy.context))[0]


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name.startswith("error"))
               for name in ("confidence", "fingers", "reason", "error_px"))  # fmt: skip


def test_a_re_solve_says_how_sure_it_is_by_now(judged):
    """Certain at a pinned pose and surer around it; filled in where footage is ignored; as before outside."""
    before = left_now()
    bpy.ops.handheld.pin_pose("EXEC_DEFAULT", hand="Left Hand")
    bpy.ops.handheld.ignore("EXEC_DEFAULT", hand="Left Hand", first=550, last=556)
    bpy.ops.ed.undo_push(message="Pins")
    assert resolve(frames="RANGE") == {"FINISHED"}
    after, pinned, ignored = left_now(), 540 - 501, slice(550 - 501, 557 - 501)
    assert after.fingers[pinned].min() > 0.999 and before.fingers[pinned].max() < 0.9
    assert (after.fingers[pinned + 1] > before.fingers[pinned + 1] + 0.05).all()
    assert (after.reason[ignored] == "infilled").all() and after.weak(0.5)[ignored].all()
    assert (
        not np.array_equal(after.error_px[20:48], before.error_px[20:48]) and np.isfinite(after.error_px[20:48]).all()
    )
    outside = np.r_[0:20, 60:80]
    for name in ("confidence", "fingers", "error_px"):
        assert np.array_equal(getattr(after, name)[outside], getattr(before, name)[outside])
    bpy.ops.ed.undo()
    assert same(left_now(), before)
    bpy.ops.ed.redo()
    assert same(left_now(), after)
    bpy.ops.handheld.new_take()
    bpy.ops.handheld.switch_take(number=0)
    assert same(left_now(), after)


def test_what_an_earlier_version_made_is_judged_all_the_same(judged):
    left = hands_of(judged)[0]
    before = left_now()
    animation.remove_generated(left, '["error_px"]')
    del left["error_px"]
    assert same(left_now(), before)
    resolve(frames="RANGE")
    assert (left_now().reason == before.reason).all()
