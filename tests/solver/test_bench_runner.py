"""The benchmark's view of the product from outside: a failed solve is a result, a baseline is merged and compared."""

from __future__ import annotations

import os

import pytest

from solver.bench import __main__ as bench
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


def test_baseline_keeps_clips_that_were_not_measured(tmp_path):
    before = {"as is": {"walk": {"figures": {"c_mpjpe": 30.0}}, "bare": {"figures": {"c_mpjpe": 50.0}}}}
    now = {"as is": {"walk": {"figures": {"c_mpjpe": 40.0}}}, "given camera": {"walk": {"figures": {"c_mpjpe": 9.0}}}}
    path = tmp_path / "baseline.json"
    bench._write_json(path, before)
    (sentence,) = bench._against_baseline(now, path)
    assert "as is" in sentence
    assert "40" in sentence
    merged = bench._merged(before, now)
    assert merged["as is"]["walk"]["figures"]["c_mpjpe"] == 40.0
    assert merged["as is"]["bare"]["figures"]["c_mpjpe"] == 50.0
    assert set(merged) == {"as is", "given camera"}


def test_no_baseline_is_no_regression(tmp_path):
    assert bench._against_baseline({"as is": {}}, tmp_path / "none.json") == []
