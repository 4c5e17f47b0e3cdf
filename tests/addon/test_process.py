"""The solver's process: its messages, and no child that outlives Blender."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from bl_ext.user_default.handheld.addon.growing_file import GrowingFile
from bl_ext.user_default.handheld.addon.process import MessageQueue, SolverProcess
from bl_ext.user_default.handheld.solver.messages import Progress, SolveRequest, TrackPose, Warned
from takes import moving_take

from solver import take as takes

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 120
# starts a solver as the add-on does, says its pid, and ends as told
PARENT = """
import importlib, os, signal, sys
sys.path.insert(0, sys.argv[1])
process = importlib.import_module("handheld.addon.process")
messages = importlib.import_module("handheld.solver.messages")
child = process.SolverProcess(sys.argv[3:])
child.request(messages.SolveRequest(request=1, output=os.path.abspath("take.out.npz")))
while not child.receive(1.0):
    pass
print("solver", child.pid, flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_order_is_kept_and_redundant_messages_collapse():
    queue = MessageQueue()
    for message in (Progress(1, "a", 1, 9), Warned(1, "x"), TrackPose(1, 0, 5), Progress(1, "a", 2, 9), Warned(1, "x")):
        queue.put(message)
    assert queue.get(10) == [Warned(1, "x"), TrackPose(1, 0, 5), Progress(1, "a", 2, 9), Warned(1, "x")]
    assert queue.get(10) == []


def test_no_more_than_asked_for():
    queue = MessageQueue()
    for frame in range(5):
        queue.put(TrackPose(1, 0, frame))
    assert [message.frame for message in queue.get(2)] == [0, 1]
    assert [message.frame for message in queue.get(9)] == [2, 3, 4]


def test_lines_are_whole_though_they_come_in_pieces():
    file = GrowingFile("test")
    for piece, lines in (
        (b"one\ntw", ["one"]),
        (b"", []),
        ("o \u624b".encode()[:-1], []),
        (b"\x8b\n\n", ["two \u624b", ""]),
    ):
        os.write(file.sink, piece)
        assert file.lines() == lines
    os.write(file.sink, b"last\n")
    file.handed_over()
    assert file.lines() == ["last"] and file.lines() == []
    file.close()
    file.close()
    assert file.lines() == [] and not Path(file._path).exists()


def test_no_thread_and_no_file_stays(tmp_path, monkeypatch):
    """Blender crashes now and then when a Python thread collects garbage while it evaluates a scene."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = SolverProcess([sys.executable, "-c", "import sys; print('no message'); print('a cry', file=sys.stderr)"])
    child.request(SolveRequest(request=4))
    assert threading.active_count() == 1 and len(list(tmp_path.iterdir())) == 2
    while not (arrived := child.receive(SECONDS)):
        assert child.is_alive
    assert [(message.code, message.request) for message in arrived] == [("solver-died", 4)]
    assert set(child.log) >= {"no message", "a cry"} and child.receive() == []
    child.stop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["quits", "killed"])
def test_no_solver_outlives_its_parent(tmp_path, end):
    (tmp_path / "handheld").symlink_to(REPOSITORY, target_is_directory=True)
    takes.save(moving_take(), tmp_path / "take.npz")
    child = [sys.executable, "-I", str(REPOSITORY / "tests/addon/scripted_solver.py"), str(REPOSITORY)]
    parent = [sys.executable, "-c", PARENT, str(tmp_path), end, *child, "slow", str(tmp_path / "take.npz")]
    done = subprocess.run(parent, capture_output=True, text=True, timeout=4 * SECONDS, cwd=tmp_path)
    pid = int(re.search(r"solver (\d+)", done.stdout)[1])
    deadline = time.monotonic() + SECONDS
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
