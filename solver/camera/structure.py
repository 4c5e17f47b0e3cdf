"""Runs a mapping job in a process of its own and hears how far it is."""

from __future__ import annotations

import importlib.util
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .features import Keyframe
from .job import MappedModel, MappingJob, load_models, save_job
from .progress import CameraProgress
from .tracks import Tracks

_PROCESS = Path(__file__).with_name("mapping_process.py")


class MappingFailed(Exception):
    """The process ended without an answer; its last words are the message."""


def available() -> bool:
    """Is pycolmap installed? (It is not looked into: importing it belongs to the other process.)"""
    return importlib.util.find_spec("pycolmap") is not None


@dataclass(frozen=True)
class Lens:
    """Start values of a job: ``fixed`` ones stay."""

    focal_px: float
    k1: float = 0.0
    focal_fixed: bool = False
    k1_fixed: bool = False
    readout_fixed: bool = False


def make_job(
    tracks: Tracks,
    keyframes: list[Keyframe],
    links: dict[tuple[int, int], np.ndarray],
    lens: Lens,
    seed: int = 0,
    profile: bool = False,
) -> MappingJob:
    """Everything in rows of ``tracks`` and working px."""
    kept = tracks.lasting(3)
    pairs = list(links)
    return MappingJob(
        size=np.array(tracks.size),
        frame_count=tracks.frame_count,
        ids=kept.ids,
        rows=kept.rows,
        points_px=kept.points_px,
        key_rows=np.array([k.row for k in keyframes], int),
        feature_counts=np.array([len(k.points_px) for k in keyframes], int),
        features_px=np.concatenate([k.points_px for k in keyframes]),
        link_pairs=np.array(pairs, int).reshape(-1, 2),
        link_counts=np.array([len(links[pair]) for pair in pairs], int),
        links=np.concatenate([links[pair] for pair in pairs]) if pairs else np.zeros((0, 2), int),
        focal_px=lens.focal_px,
        k1=lens.k1,
        refine_focal=not lens.focal_fixed,
        refine_k1=not lens.k1_fixed,
        refine_readout=not lens.readout_fixed,
        seed=seed,
        profile=profile,
    )


def solve(job: MappingJob) -> Generator[CameraProgress, None, list[MappedModel]]:
    """In a process of its own; yields progress, returns the models. Closing it ends the process.

    Raises:
        MappingFailed: the process died.
    """
    with tempfile.TemporaryDirectory(prefix="handheld-camera-", ignore_cleanup_errors=True) as folder:
        process = _Process(job, Path(folder) / "job")
        try:
            while process.running():
                process.listen(0.1)
                yield CameraProgress("structure", min(job.frame_count, process.done), job.frame_count)
            return process.answer()
        finally:
            process.end()


class _Process:
    def __init__(self, job: MappingJob, folder: Path) -> None:
        folder.mkdir()
        self.done = 0
        self._answer = folder / "answer.npz"
        self._errors = (folder / "errors.txt").open("w+b")
        save_job(job, folder / "job.npz")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        package_parent = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join([package_parent, *[p for p in sys.path if p]])
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_PROCESS), paths, str(folder / "job.npz"), str(self._answer)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def running(self) -> bool:
        return self._process.poll() is None

    def listen(self, seconds: float) -> None:
        """Wait for news at most that long."""
        try:
            words = self._lines.get(timeout=seconds).split()
        except queue.Empty:
            return
        if len(words) == 2 and words[0].isdigit():
            self.done = int(words[0])

    def answer(self) -> list[MappedModel]:
        if self._process.returncode != 0 or not self._answer.exists():
            self._errors.seek(0)
            last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
            reason = " ".join(last) or f"mapping ended with status {self._process.returncode}"
            raise MappingFailed(reason)
        return load_models(self._answer)

    def end(self) -> None:
        if self.running():
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._errors.close()
