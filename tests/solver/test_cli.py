"""The command line as a person or a script meets it."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from solver import cli, messages, pipeline
from solver import take as takes
from tests.solver.samples import sample_take

REPOSITORY = Path(__file__).resolve().parents[2]


def test_errors_say_what_to_do(capsys, tmp_path):
    assert cli.main(["overlay", str(tmp_path / "none.npz"), "-o", str(tmp_path / "o.mp4")]) == cli.EXIT_FAILED
    assert capsys.readouterr().err.startswith("error (")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no FIFO to wait at")
def test_an_interrupted_command_ends_without_a_traceback(tmp_path):
    """A FIFO in the take's place keeps the command waiting until the interrupt comes."""
    waiting = tmp_path / "take.npz"
    os.mkfifo(waiting)
    command = [sys.executable, "-m", "solver", "overlay", str(waiting), "-o", str(tmp_path / "o.mp4")]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests run in the background may ignore interrupts
    child = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    with waiting.open("wb"):  # returns once the command has opened it too
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate()
    assert (child.returncode, complaint) == (cli.EXIT_CANCELLED, "stopped\n")


def test_outputs_that_are_not_understood_are_named(capsys, tmp_path):
    taken = tmp_path / "take.npz"
    taken.write_bytes(b"")
    for arguments, named in (
        (["overlay", str(taken), "--sheet", "q.xyz"], "--sheet"),
        (["camera", str(taken), "-o", "c.xyz"], ".chan"),
        (["sample", str(taken), "-o", str(taken)], "replace"),
        (["solve", "clip.mp4", "-o", str(taken), "--hand-length", "7"], "hand-length"),
    ):
        assert cli.main(arguments) == cli.EXIT_FAILED
        assert named in capsys.readouterr().err


def test_a_reader_who_leaves_early_sees_no_traceback(tmp_path):
    command = [sys.executable, "-m", "solver", "solve", "none.mp4", "-o", str(tmp_path / "t.npz"), "--json"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        assert (child.stderr.read(), child.wait()) == (b"", cli.EXIT_UNREAD)


@pytest.mark.parametrize(
    "command",
    [
        "solve clip.mp4 -o clip.mp4", "solve clip.mp4 -o t.npz --camera t.npz", "overlay t.npz -o clip.mp4",
        "export t.npz -o t.npz", "camera t.npz -o t.npz",
        "import t.npz -o t.npz", "sample t.npz -o t.npz",
    ],
)  # fmt: skip
def test_nothing_is_written_over_what_is_read(monkeypatch, capsys, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    takes.save(dataclasses.replace(sample_take(), clip_path="clip.mp4"), "t.npz")
    Path("clip.mp4").write_bytes(b"precious")
    before = Path("t.npz").read_bytes()
    assert cli.main(command.split()) == cli.EXIT_FAILED
    said = capsys.readouterr()
    assert "same-file" in said.err
    assert (Path("clip.mp4").read_bytes(), Path("t.npz").read_bytes()) == (b"precious", before)


def test_who_stops_before_anything_was_solved_is_not_told_that_something_was_kept(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(pipeline, "solve", lambda *_: iter([messages.Finished(0, "", True, "Nothing was solved yet.")]))
    assert cli.main(["solve", "clip.mp4", "-o", str(tmp_path / "t.npz")]) == cli.EXIT_CANCELLED
    assert "cancelled\nNothing was solved yet." in capsys.readouterr().out
