"""Re-solve requests as a client sends them: what it keeps is honoured, what it took back is forgotten."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from solver import constraints, hand_model, messages
from solver import take as takes
from solver.hand_model.rotations import exp, matrix_from_quaternion
from solver.resolving import Resolver
from solver.standing import Standing
from solver.take import MISSING

from .edited_takes import AWAY, BASE, keypoint, solved_take

FIRST, LAST = BASE + 20, BASE + 60
numbers = itertools.count(1)
POINT = {"kind": "Point", "frame": BASE + 34, "keypoint": 8, "position": [0, 0, 0]}


@pytest.fixture(scope="module")
def models():
    return {side: hand_model.load(side) for side in ("left", "right")}


@pytest.fixture(scope="module")
def take(models):
    return solved_take(models)


@pytest.fixture(scope="module")
def path(take, tmp_path_factory):
    path = tmp_path_factory.mktemp("take") / "take.npz"
    takes.save(take, path)
    return str(path)


@pytest.fixture(scope="module")
def resolver():
    return Resolver()


def standing_of(take, first=FIRST - 2, last=LAST + 2):
    rows = np.arange(first, last + 1) - BASE
    return Standing(take.frames[rows], take.rotations[:, rows], take.transl[:, rows], take.world_from_camera[rows])


def ask(resolver, path, *wishes, standing=None, tmp_path=None, cancelled=lambda: False, **options):
    if standing is not None:
        standing.save(tmp_path / "standing.npz")
        options["standing"] = str(tmp_path / "standing.npz")
    fields = {"take": path, "first": FIRST, "last": LAST, **options}
    fields["constraints"] = tuple(map(constraints.to_json, wishes))
    request = messages.decode(messages.encode(messages.ResolveRequest(next(numbers), **fields)))
    return list(resolver.answer(request, cancelled))


def with_answer(take, answers):
    """The take with the last of the poses that came."""
    rotations, transl, status = take.rotations.copy(), take.transl.copy(), take.status.copy()
    for pose in answers:
        if isinstance(pose, messages.TrackPose):
            at = pose.track, pose.frame - BASE
            rotations[at], transl[at] = matrix_from_quaternion(np.array(pose.rotations)), pose.transl
            status[at] = max(status[at], 1)
    return dataclasses.replace(take, rotations=rotations, transl=transl, status=status)


def test_every_constraint_survives_the_wire():
    wishes = [
        constraints.Pose(0, 5, wrist=np.ones(3), rotations=np.where(np.arange(135) < 9, 1.0, np.nan).reshape(15, 3, 3)),
        constraints.Point(1, 5, 8, np.array([0.1, 0.2, 0.3]), 0.01),
        constraints.ImagePoint(1, 5, 8, np.array([10.0, 20.0]), 2.0),
        constraints.ImagePoint(1, 5, 8),
        constraints.HoldStill(0, 5, 9, 4),
        constraints.Together(0, 4, 1, 4, 5, 9),
        constraints.Ignore(0, 5, 9),
        constraints.CameraPose(5, np.eye(3), np.zeros(3)),
    ]
    request = messages.ResolveRequest(1, constraints=tuple(map(constraints.to_json, wishes)))
    received = messages.decode(messages.encode(request))
    for wish, fields in zip(wishes, received.constraints, strict=True):
        again = constraints.from_json(fields)
        assert type(again) is type(wish)
        for name, value in vars(wish).items():
            np.testing.assert_array_equal(getattr(again, name), value)


def test_a_pin_is_met_and_only_the_range_is_answered(resolver, path, take, models, tmp_path):
    target = keypoint(models, take, 0, BASE + 40, 8) + [0.01, 0.0, -0.01]
    answers = ask(resolver, path, constraints.Point(0, BASE + 40, 8, target), standing=standing_of(take),
                  tmp_path=tmp_path, hands=[0])  # fmt: skip
    assert isinstance(answers[-1], messages.Finished) and not answers[-1].cancelled
    poses = [pose for pose in answers if isinstance(pose, messages.TrackPose)]
    assert {pose.track for pose in poses} == {0}
    assert {pose.frame for pose in poses} == set(range(FIRST, LAST + 1))
    assert np.linalg.norm(keypoint(models, with_answer(take, answers), 0, BASE + 40, 8) - target) < 1e-3


def test_the_client_s_motion_counts_and_not_the_last_answer(resolver, path, take, models, tmp_path):
    """After an undo the same request has the same answer."""
    pin = constraints.Point(0, BASE + 40, 8, keypoint(models, take, 0, BASE + 40, 8) + 0.02)
    ask(resolver, path, standing=standing_of(take), tmp_path=tmp_path)
    before = with_answer(take, ask(resolver, path, standing=standing_of(take), tmp_path=tmp_path))
    ask(resolver, path, pin, standing=standing_of(take), tmp_path=tmp_path)
    after = with_answer(take, ask(resolver, path, standing=standing_of(take), tmp_path=tmp_path))
    np.testing.assert_array_equal(after.rotations, before.rotations)
    np.testing.assert_array_equal(after.transl, before.transl)


def test_a_pinned_finger_joint_holds_and_the_others_are_free(resolver, path, take, tmp_path):
    row, bent = 40, exp(np.array([0.0, 0.0, 0.3]))
    rotations = np.full((15, 3, 3), np.nan)
    rotations[0] = take.rotations[0, row, 1] @ bent
    pin = constraints.Pose(0, BASE + row, rotations=rotations)
    free = with_answer(take, ask(resolver, path, standing=standing_of(take), tmp_path=tmp_path))
    after = with_answer(take, ask(resolver, path, pin, standing=standing_of(take), tmp_path=tmp_path))
    turned = np.linalg.norm(after.rotations[0, :, 1:] - free.rotations[0, :, 1:], axis=(-2, -1))
    assert np.linalg.norm(after.rotations[0, row, 1] - rotations[0]) < 0.05
    assert turned[row, 0] > 0.2 and turned[row, 1:].max() > 1e-3


def test_a_gap_that_the_client_bridged_is_filled(resolver, path, take, tmp_path):
    """Poses in frames where the take has no hand: the hand is there now, and moves on smoothly."""
    standing = standing_of(take)
    away = np.arange(AWAY.start, AWAY.stop)
    rows = away - (FIRST - 2 - BASE)
    standing.rotations[1, rows], standing.transl[1, rows] = take.rotations[1, 29], take.transl[1, 29]
    after = with_answer(take, ask(resolver, path, standing=standing, tmp_path=tmp_path))
    assert (after.status[1, away] != MISSING).all()
    path_m = after.transl[1, 22:50]
    assert np.linalg.norm(np.diff(path_m, n=2, axis=0), axis=-1).max() < 0.01
    gone = ask(resolver, path, standing=standing_of(take), tmp_path=tmp_path)  # the client undid it
    assert (with_answer(take, gone).status[1, away] == MISSING).all()


def test_a_moved_camera_takes_the_hands_along(resolver, path, take, tmp_path):
    standing = standing_of(take)
    before = with_answer(take, ask(resolver, path, standing=standing, tmp_path=tmp_path))
    standing.world_from_camera[:, 0, 3] += 0.02
    after = with_answer(take, ask(resolver, path, standing=standing, tmp_path=tmp_path))
    inner = slice(30, 50)
    shift = after.transl[0, inner] - before.transl[0, inner]
    assert np.abs(np.median(shift, axis=0) - [0.02, 0, 0]).max() < 0.01


def test_smoothness_calms_the_range(resolver, path, take, tmp_path):
    def unrest(after):
        return np.linalg.norm(np.diff(after.transl[0, 22:58], n=2, axis=0), axis=-1).mean()

    plain, calm = (
        with_answer(take, ask(resolver, path, standing=standing_of(take), tmp_path=tmp_path, smoothness=factor))
        for factor in (1.0, 10.0)
    )
    assert unrest(calm) < 0.8 * unrest(plain)


def test_it_is_told_how_sure_the_answer_is(resolver, path, take, models):
    """A pinned pose is known; frames near it are surer than without it; ignored footage leaves no error to state."""
    row = FIRST + 20 - BASE
    wrist = keypoint(models, take, 0, FIRST + 20, 0)
    pose = constraints.Pose(0, FIRST + 20, take.rotations[0, row, 0], wrist, take.rotations[0, row, 1:])
    far = constraints.Ignore(1, FIRST + 2, FIRST + 5)
    pinned, ignoring = judgements(ask(resolver, path, pose, far))
    plain, _ = judgements(ask(resolver, path, constraints.Ignore(1, FIRST + 2, FIRST + 5)))
    assert (pinned.frames[0], pinned.frames[-1]) == (FIRST, LAST)
    sigma, without = np.array(pinned.fingertip_sigma), np.array(plain.fingertip_sigma)
    assert sigma[20].max() == 0 and (sigma[[17, 23]] < 0.9 * without[[17, 23]]).all()
    np.testing.assert_allclose(sigma[[0, -1]], without[[0, -1]], rtol=0.05)
    assert ignoring.error_px[2:6] == (None,) * 4 and None not in ignoring.error_px[6:9]
    assert ignoring.confidence[2:6] == (0.0,) * 4


def test_footage_may_be_distrusted_in_the_whole_clip(resolver, path, take, models):
    """Nothing tells where a hand is then: it stays as it stands, unsure, and that is said. A pin or an end holds it."""
    last = BASE + len(take.frames) - 1
    wishes = [constraints.Ignore(hand, BASE, last) for hand in range(2)]
    answers = ask(resolver, path, *wishes, first=BASE, last=last)
    assert not [message for message in answers if isinstance(message, messages.TrackPose)]
    blind, _ = judgements(answers)
    assert max(blind.confidence) < 0.1
    assert warned(answers).count("nothing-to-go-by") == 2
    answers = ask(resolver, path, wishes[0], first=BASE, last=last)
    assert {message.track for message in answers if isinstance(message, messages.TrackPose)} == {1}
    some = constraints.Ignore(0, BASE + 10, last), constraints.Ignore(1, BASE, last)
    placed = constraints.Point(1, FIRST, 8, keypoint(models, take, 1, FIRST, 8))
    assert "nothing-to-go-by" not in warned(ask(resolver, path, *some, placed, first=BASE, last=last))
    assert "nothing-to-go-by" not in warned(ask(resolver, path, *wishes, first=BASE + 10, last=last))


def warned(answers):
    return [message.code for message in answers if isinstance(message, messages.Warned)]


def judgements(answer):
    return [message for message in answer if isinstance(message, messages.HandJudged)]


def test_a_pin_out_of_reach_is_told(resolver, path, take, models):
    wrist, tip = (keypoint(models, take, 0, BASE + 40, point) for point in (0, 8))
    apart = constraints.Point(0, BASE + 40, 0, wrist), constraints.Point(0, BASE + 40, 8, tip + [0.5, 0.0, 0.0])
    answers = ask(resolver, path, *apart)
    warnings = [message for message in answers if isinstance(message, messages.Warned)]
    assert warned(answers) == ["pin-not-reached"]
    assert "left hand at frame 541" in warnings[0].sentence


def test_joints_that_cannot_meet_where_the_stretch_ends_are_told(resolver, path):
    answers = ask(resolver, path, constraints.Together(0, 4, 0, 20, FIRST, LAST, 0.001))
    warnings = [message for message in answers if isinstance(message, messages.Warned)]
    assert [warning.code for warning in warnings] == ["pin-not-reached"]
    assert "Joints that belong together" in warnings[0].sentence and "more frames" in warnings[0].repair
    inner = ask(resolver, path, constraints.Together(0, 4, 0, 20, FIRST + 15, LAST - 15))
    assert not [message for message in inner if isinstance(message, messages.Warned)]


def test_ranges_reach_over_gaps(resolver, path):
    wishes = [
        constraints.Ignore(1, FIRST, LAST),
        constraints.HoldStill(1, FIRST, LAST, 0),
        constraints.Together(0, 4, 1, 4, FIRST, LAST, 0.01),
    ]
    assert isinstance(ask(resolver, path, *wishes)[-1], messages.Finished)


def test_a_cancel_answers_without_a_result(resolver, path):
    answers = ask(resolver, path, cancelled=lambda: True)
    assert answers[-1].cancelled
    assert not any(isinstance(message, messages.TrackPose) for message in answers)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({**POINT, "track": 1}, "constraint-not-valid"),
        ({**POINT, "track": 7}, "constraint-not-valid"),
        ({**POINT, "track": 0, "position": [None, 0, 0]}, "constraint-not-valid"),
        ({"kind": "Nail"}, "constraint-not-known"),
        ({"kind": "Point", "glue": 1}, "constraint-not-known"),
        ({}, "constraint-not-known"),
    ],
)
def test_nonsense_is_answered_in_words(resolver, path, wish, code):
    request = messages.ResolveRequest(1, take=path, first=FIRST, last=LAST, constraints=(wish,))
    answer = list(resolver.answer(request, lambda: False))[-1]
    assert isinstance(answer, messages.Failed) and answer.code == code and answer.repair


@pytest.mark.parametrize("wrong", [{"first": LAST, "last": FIRST}, {"hands": (7,)}, {"smoothness": 0.0}])
def test_a_stretch_that_makes_no_sense_is_answered_in_words(resolver, path, wrong):
    assert ask(resolver, path, **wrong)[-1].code == "resolve-not-valid"


def test_frames_beyond_the_take_are_not_counted(resolver, path, take):
    answer = ask(resolver, path, first=int(take.frames[-1]) - 4, last=int(take.frames[-1]) + 1000)
    assert answer[-1].summary.startswith("5 frames")


def test_a_take_that_is_gone(resolver, path, tmp_path):
    answer = ask(resolver, str(tmp_path / "nowhere.npz"))[-1]
    assert answer.code == "take-not-readable"
    request = messages.ResolveRequest(1, take=path, standing=str(tmp_path / "nothing.npz"))
    answer = list(resolver.answer(request, lambda: False))[-1]
    assert answer.code == "standing-not-readable"


def test_a_stretch_without_hands_is_answered_in_words(resolver, path):
    assert ask(resolver, path, absent=(0, 1))[-1].code == "hand-missing"
    assert ask(resolver, path, absent=(0,), first=BASE + 34, last=BASE + 36)[-1].code == "hand-missing"
    assert isinstance(ask(resolver, path, absent=(0,), first=BASE + 36, last=LAST)[-1], messages.Finished)
