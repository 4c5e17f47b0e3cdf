"""What must hold for every tracked file: nothing of one machine, nothing big, nothing of a foreign licence."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LARGEST_BYTES = 1_000_000
SUFFIXES = {".py", ".toml", ".md", ".txt", ".json", ".sh", ".cfg", ""}
# folders that only exist on one person's machine; written in pieces so that this file passes its own test
_FOLDERS = (r"/ho" r"me/\w", r"/ro" r"ot/", r"/Us" r"ers/\w", r"[A-Z]:\\Us" r"ers", r"/wo" r"rk/(main|shared)")
MACHINE_PATH = re.compile(rf"(?<!\w)({'|'.join(_FOLDERS)})")
MODEL_SUFFIXES = {".pkl", ".pt", ".pth", ".ckpt", ".tflite", ".onnx", ".task", ".npz", ".whl"}


def _tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is tracked can't be told")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in (ROOT / name for name in listed.split("\0") if name) if path.is_file()]


def test_no_tracked_file_is_large() -> None:
    assert [path for path in _tracked() if path.stat().st_size > LARGEST_BYTES] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in _tracked() if path.suffix in SUFFIXES}
    assert {path: found.group() for path, text in texts.items() if (found := MACHINE_PATH.search(text))} == {}


def test_models_are_made_by_the_build_and_never_tracked() -> None:
    assert [path for path in _tracked() if path.suffix in MODEL_SUFFIXES] == []
