"""The benchmark's view of the product from outside: a failed solve is a result, a baseline is merged and compared."""

from __future__ import annotations

import os

import pytest

from solver.bench import baseline
from solver.bench.runner import solve


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runner")
    (folder / "clip.mp4").write_text("not a movie")
    return solve(folder / "clip.mp4", folder / "take.npz")


def test_failure_is_told_in_the_products_own_words(failed):
    assert failed.take is None
    assert "clip.mp4" in failed.failure


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system does not tell what a child used")
def test_what_the_child_used_is_measured(failed):
    assert 10 < failed.peak_mb < 4000
    assert 0 < failed.cpu_seconds < 120


def _measured(**clips: float) -> dict:
    return {clip: {"figures": {"c_mpjpe": value}} for clip, value in clips.items()}


def test_baseline_keeps_clips_that_were_not_measured(tmp_path):
    path = tmp_path / "baseline.json"
    baseline.update(path, "test", {"as-is": _measured(walk=30.0, bare=50.0)})
    now = {"as-is": _measured(walk=40.0), "camera": _measured(walk=9.0)}
    (sentence,) = baseline.worse(now, baseline.read(path, "test"))
    assert "as-is" in sentence
    assert "40" in sentence
    baseline.update(path, "test", now)
    baseline.update(path, "validation", {"as-is": _measured(walk=77.0)})
    merged = baseline.read(path, "test")
    assert merged["as-is"]["walk"]["figures"]["c_mpjpe"] == 40.0
    assert merged["as-is"]["bare"]["figures"]["c_mpjpe"] == 50.0
    assert set(merged) == {"as-is", "camera"}


def test_only_clips_that_both_have_are_compared(tmp_path):
    path = tmp_path / "baseline.json"
    baseline.update(path, "test", {"as-is": _measured(walk=30.0, bare=90.0)})
    ((now, before),) = baseline.shared({"as-is": _measured(walk=20.0, new=900.0)}, baseline.read(path, "test")).values()
    assert (now["c_mpjpe"], before["c_mpjpe"]) == (20.0, 30.0)


def test_no_baseline_is_no_regression(tmp_path):
    assert baseline.worse({"as-is": _measured(walk=30.0)}, baseline.read(tmp_path / "none.json", "test")) == []
