"""The command line as a person or a script meets it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from solver import cli

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
    child = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    with waiting.open("wb"):  # returns once the command has opened it too
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate()
    assert (child.returncode, complaint) == (cli.EXIT_CANCELLED, "stopped\n")
