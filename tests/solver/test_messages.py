"""The protocol: every message survives the wire, and nothing else passes for one."""

import dataclasses

import pytest

from solver import messages

POSE = messages.TrackPose(1, 2, 30, ((1.0, 0.0, 0.0, 0.0),) * 16, (0.1, -0.2, 0.5), 0.75)
SAMPLES = [
    messages.SolveRequest(3, "手 clip.mp4", "out take.npz", {"frame_range": [1, 20], "focal_px": None}),
    messages.CancelRequest(3),
    messages.ClipOpened(3, "a.mov", 1920, 1080, (30000, 1001), 1, 121),
    messages.TrackStarted(3, 0, "left", (0.0,) * 10),
    POSE,
    messages.Failed(3, "no-hands-found", "No hand.", "Draw a box."),
]


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)
def test_round_trip(message):
    line = messages.encode(message)
    assert "\n" not in line
    assert messages.decode(line) == message


@pytest.mark.parametrize(
    "line",
    ["", "[]", "3", "null", "not json", '{"type": "Nonsense"}', '{"type": "Progress", "unknown": 1}', '{"done": 1}'],
)
def test_anything_else_is_refused(line):
    with pytest.raises(messages.ProtocolError):
        messages.decode(line)


def test_not_a_number_never_reaches_the_wire():
    with pytest.raises(ValueError, match="not JSON compliant"):
        messages.encode(dataclasses.replace(POSE, confidence=float("nan")))


def test_newer_preview_replaces_older_but_not_another_hand():
    later = dataclasses.replace(POSE, confidence=0.5)
    assert POSE.redundancy_key() == later.redundancy_key()
    assert POSE.redundancy_key() != dataclasses.replace(POSE, track=1).redundancy_key()
    assert SAMPLES[-1].redundancy_key() is None
