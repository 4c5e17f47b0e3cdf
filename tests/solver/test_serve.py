"""The serve process from outside: real child, real pipes."""

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from solver import messages
from solver.video import MovieWriter

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


@pytest.fixture
def child():
    process = subprocess.Popen(
        [sys.executable, "-I", str(ROOT / "solver" / "launch.py"), "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": "nowhere"},
    )
    with process:  # closes the pipes
        yield process
        process.kill()


def send(child, *requests):
    for request in requests:
        child.stdin.write(messages.encode(request) + "\n")
    child.stdin.flush()


def test_says_hello_and_ends_when_its_parent_is_gone(child):
    hello = messages.decode(child.stdout.readline())
    assert hello.protocol == messages.PROTOCOL_VERSION
    assert hello.pid == child.pid
    child.stdin.close()
    assert child.wait(SECONDS) == 0


def test_shutdown_request_ends_it(child):
    send(child, messages.ShutdownRequest())
    assert child.wait(SECONDS) == 0


def test_bad_requests_are_answered_and_the_next_one_still_works(child, tmp_path):
    text = tmp_path / "手 text.mp4"
    text.write_text("this is no movie")
    child.stdout.readline()
    child.stdin.write("what?\n")
    send(
        child,
        messages.SolveRequest(1, str(text), str(tmp_path / "take.npz"), {"no_such_option": 1}),
        messages.SolveRequest(2, str(text), str(tmp_path / "take.npz")),
        messages.SolveRequest(3, str(tmp_path / "absent.mov"), str(tmp_path / "take.npz")),
        messages.SolveRequest(4, str(text), str(tmp_path / "take.npz"), {"quality": "superb"}),
        messages.SolveRequest(5, str(text), str(tmp_path / "take.npz"), {"focal_px": -5.0}),
        messages.SolveRequest(6, str(text), str(tmp_path / "take.npz"), {"frame_rate": [24, 0]}),
        messages.SolveRequest(7, str(text), str(tmp_path / "take.npz"), {"model": str(tmp_path)}),
    )
    endings = []
    while len(endings) < 8:
        message = messages.decode(child.stdout.readline())
        if isinstance(message, messages.ENDINGS):
            endings.append(message)
    assert [(e.request, e.code) for e in endings] == [
        (0, "not-a-request"),
        (1, "options-not-known"),
        (2, "clip-not-video"),
        (3, "clip-missing"),
        (4, "option-not-valid"),
        (5, "option-not-valid"),
        (6, "option-not-valid"),
        (7, "hand-model-missing"),
    ]
    assert all(ending.sentence and ending.repair for ending in endings)
    assert not (tmp_path / "take.npz").exists()


def test_stdout_carries_nothing_but_messages(child, tmp_path):
    send(child, messages.SolveRequest(1, str(tmp_path), str(tmp_path / "t.npz")), messages.ShutdownRequest())
    output, _ = child.communicate(timeout=SECONDS)
    assert [json.loads(line)["type"] for line in output.splitlines()][0] == "Hello"


def test_command_line_prints_the_repair_and_fails(tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("this is no movie")
    command = [sys.executable, "-m", "solver", "solve", str(text), "-o", str(tmp_path / "t.npz")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "clip-not-video" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_that_lacks_the_letters_of_a_file_name_is_no_error(tmp_path):
    with MovieWriter(tmp_path / "手.mp4", (128, 72), Fraction(25)) as movie:
        for _ in range(3):
            movie.write(np.zeros((72, 128, 3), np.uint8))
    command = [sys.executable, "-m", "solver", "solve", str(tmp_path / "手.mp4"), "-o", str(tmp_path / "t.npz")]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False, env=ascii_only
    )
    assert done.returncode == 1 and "no-hands-found" in done.stderr
    assert "Traceback" not in done.stderr and "\\u624b" in done.stdout


def test_unwritable_output_is_told_before_the_solve(tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")
    command = [sys.executable, "-m", "solver", "solve", "absent.mp4", "-o", str(tmp_path / "file" / "t.npz")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert "take-not-writable" in done.stderr
