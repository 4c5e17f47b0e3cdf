"""What a prior is trained with: motion, hidden parts, own recordings; NumPy runs what torch trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from solver.prior.learned.features import FEATURES, OTHER, OWN, RELATIVE
from solver.prior.learned.network import Network
from tools.prior import recordings
from tools.prior.gaps import local_keypoints
from tools.prior.learned import convert, gaussian, train
from tools.prior.learned.motion import ACTIVITIES, perform, seen_from_other
from tools.prior.learned.windows import FINGERS, FRAMES, Windows, wrists
from tools.prior.recordings import Recording, open_skeleton


@pytest.fixture(scope="module")
def recorded() -> list[Recording]:
    hinges = open_skeleton().hinges
    moving = hinges.mean + 0.3 * np.sin(np.arange(120)[:, None] / 9) * np.ones(len(hinges))
    return [Recording("made", "one", hand, moving) for hand in "LR"]


@pytest.fixture(scope="module")
def windows(recorded) -> Windows:
    return Windows(recorded, seed=0, procedural=12)


@pytest.mark.parametrize("name", ACTIVITIES)
def test_motion_is_a_hand_s(name):
    """Within what hands can do but for a little, at speeds that hands have, and the wrists agree."""
    clip = perform(np.random.default_rng(4), 300, name)
    hinges = open_skeleton().hinges
    beyond = (clip.angles > hinges.high + 0.2) | (clip.angles < hinges.low - 0.2)
    assert beyond.mean() < 0.06
    speed = np.degrees(np.abs(np.diff(clip.angles, axis=1)).max(-1)) * 30
    assert 5 < np.percentile(speed, 99) < 1500
    np.testing.assert_allclose(seen_from_other(clip.wrist[0]), clip.wrist[1], atol=1e-9)
    np.testing.assert_allclose(seen_from_other(clip.wrist[1]), clip.wrist[0], atol=1e-9)
    assert np.allclose(np.linalg.norm(clip.wrist[..., 3:6], axis=-1), 1)


def test_windows_hide_what_exists_and_keep_it_from_the_truth(windows):
    truth, given, known, exists = windows.batch(40)
    assert truth.shape == given.shape == known.shape == (40, FRAMES, FEATURES)
    assert not (known & ~exists).any()
    hidden = exists[..., OWN] & ~known[..., OWN]
    assert 0.1 < hidden.mean() < 0.9
    assert known[..., OTHER].any() and known[..., RELATIVE].any()
    assert np.abs(given - truth)[known].mean() > 0, "what is seen is seen with errors"
    outer = [finger[-1] for finger in FINGERS]
    inner = [finger[0] for finger in FINGERS]
    assert not (known[..., outer] & ~known[..., inner]).any(), "a seen fingertip shows its whole finger"


def test_two_hands_of_a_recording_are_one_clip(windows):
    assert [clip.has for clip in windows.recorded] == [(True, True)]


def test_numpy_runs_what_torch_trained():
    torch.manual_seed(1)
    trained = train.Network(8)
    for parameter in trained.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    network = Network(**train.arrays(trained))
    coded = np.random.default_rng(0).standard_normal((50, 3 * FEATURES)).astype(np.float32)
    with torch.no_grad():
        added, sigma = (x[0].numpy() for x in trained(torch.as_tensor(coded)[None]))
    own_added, spread = np.split(network._run(coded), 2, axis=-1)
    np.testing.assert_allclose(own_added, added, atol=1e-4)
    np.testing.assert_allclose(0.03 + np.logaddexp(0, spread), sigma, atol=1e-4)


def test_training_makes_hidden_angles_likelier(recorded, windows):
    told: list[str] = []
    effort = train.Effort(channels=8, steps=100, batch=8, procedural=12, rate=5e-3, report_every=40)
    trained = Network(**train.train(recorded, effort, 0, told.append))
    assert len(told) == 3
    truth, given, known, exists = windows.batch(30)
    hidden = (exists & ~known)[..., OWN]
    surprise = []
    for network in (Network(**train.arrays(train.Network(8))), trained):
        mean, deviation = (np.stack(x)[..., OWN] for x in zip(*map(network.predict, given, known), strict=True))
        surprise.append((0.5 * ((truth[..., OWN] - mean) / deviation) ** 2 + np.log(deviation))[hidden].mean())
    assert surprise[1] < surprise[0] - 0.1, surprise


def test_the_closed_form_knows_what_goes_together(windows):
    """A hidden finger is the more bent, the more the others are; a hand of which nothing is seen is the less sure."""
    model = gaussian.fit(windows, batches=6, size=8)
    hinges, bends = open_skeleton().hinges, FINGERS[1][3]
    values, known = np.zeros((20, FEATURES)), np.zeros((20, FEATURES), bool)
    unsure = model.predict(values, known)[1][:, bends]
    known[:, OWN] = True
    known[:, FINGERS[1]] = False
    told = []
    for bent in (-0.3, 0.5):
        values[:, OWN] = hinges.mean
        values[:, hinges.flexion[:12]] += bent
        mean, deviation = model.predict(values, known)
        told.append(mean[:, bends])
        assert (deviation[:, bends] < unsure).all()
    assert (told[1] > told[0] + 0.2).all()


def test_own_recordings_from_keypoints(tmp_path):
    """A hand's angles come back, on both sides and at another frame rate, and where the other hand is."""
    hinges, n = open_skeleton().hinges, 91
    bend = 0.5 + 0.4 * np.sin(np.arange(n) / 20)
    angles = np.clip(hinges.mean + 0.6 * bend[:, None] * (hinges.sigma > 0.3), hinges.low, hinges.high)
    right = local_keypoints(angles)
    left = right * [-1, 1, 1] + [0.2, 0.0, 0.0]
    keypoints = np.stack([left, right], axis=1)
    keypoints[70:, 0] = np.nan
    (tmp_path / "lab").mkdir()
    np.savez(tmp_path / "lab" / "take.npz", keypoints_m=keypoints, fps=60.0)
    output = tmp_path / "recordings.npz"
    assert convert.convert([tmp_path / "lab" / "take.npz"], output) == 2
    both, fps = recordings.load(output)
    assert fps == 30 and {r.hand for r in both} == {"L", "R"} and {r.source for r in both} == {"lab"}
    for recording in both:
        again = local_keypoints(recording.angles)
        np.testing.assert_allclose(again, right[::2][: len(again)], atol=0.004)
    placed = wrists(output, both)
    mine = {r.hand: placed[id(r)] for r in both}
    assert np.isfinite(mine["L"]).all() and np.isnan(mine["R"][40:]).all()
    np.testing.assert_allclose(seen_from_other(mine["L"]), mine["R"][: len(mine["L"])], atol=1e-3)


def test_nothing_to_convert(tmp_path):
    np.savez(tmp_path / "empty.npz", keypoints_m=np.full((50, 2, 21, 3), np.nan), fps=30.0)
    assert convert.convert([tmp_path / "empty.npz"], tmp_path / "out.npz") == 0
    assert not (tmp_path / "out.npz").exists()
