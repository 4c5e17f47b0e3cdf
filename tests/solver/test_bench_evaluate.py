"""From a take and a truth to figures, plots, verdicts: on takes whose error is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from solver import take as takes
from solver.bench import prediction, report, results, silhouette, table, text
from solver.bench.clips import ALONE
from solver.bench.evaluate import PENALTY_MM, evaluate
from solver.bench.plots import Line, plot
from solver.bench.runner import Run
from solver.bench.truth import OCCLUDED, OUTSIDE, VISIBLE, Truth, hand_length
from solver.camera.cameras import project
from solver.hand_model import loading

from .samples import sample_take

COUNT = 12


@pytest.fixture(scope="module")
def models():
    return loading.load_pair("open")


@pytest.fixture
def take() -> takes.Take:
    """Two open hands that drift to the right before a camera that moves along with them by half."""
    t = np.linspace(0, 0.2, COUNT)
    cameras = np.broadcast_to(np.eye(4), (COUNT, 4, 4)).copy()
    cameras[:, 0, 3] = t / 2
    transl = np.stack([np.stack([x + t, 0.02 * np.sin(20 * t), 0.5 + 0 * t], axis=1) for x in (-0.2, 0.1)])
    rotations = np.broadcast_to(np.eye(3), (2, COUNT, 16, 3, 3)).copy()
    sample = sample_take(COUNT)
    return dataclasses.replace(
        sample, model="open", world_from_camera=cameras, rotations=rotations, transl=transl, frame_rate=(30, 1)
    )


@pytest.fixture
def truth(take, models) -> Truth:
    """What the take says, as the truth."""
    empty = Truth(take.frames, 30.0, take.size, take.intrinsics, take.world_from_camera, *[np.zeros(0)] * 3)
    keypoints = prediction.from_take(take, empty, models).keypoints
    local = (keypoints - take.world_from_camera[:, None, None, :3, 3]) @ take.world_from_camera[:, None, :3, :3]
    visibility = np.full((COUNT, 2, 21), VISIBLE)
    visibility[:, 0, :4] = OCCLUDED
    return dataclasses.replace(
        empty, keypoints=keypoints, keypoints_px=project(local, take.intrinsics), visibility=visibility
    )


def _figures(take, truth, models) -> dict[str, float]:
    return evaluate(truth, prediction.from_take(take, truth, models)).figures


def test_truth_itself_has_no_error(take, truth, models):
    figures = _figures(take, truth, models)
    for name in ("c_mpjpe", "g_mpjpe_100", "ga_rigid", "mpjpe", "pa_mpjpe", "mrrpe", "ate_s", "acc_err", "error_px"):
        assert figures[name] == pytest.approx(0.0, abs=1e-6), name
    assert figures["recall"] == figures["side_right"] == figures["c_within"] == 1.0
    assert figures["camera_occluded"] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(figures["camera_outside"])


def test_hand_too_far_is_an_error_in_camera_space_alone(take, truth, models):
    moved = take.transl + np.array([0.0, 0.0, 0.04])
    figures = _figures(dataclasses.replace(take, transl=moved), truth, models)
    assert figures["c_mpjpe"] == pytest.approx(40.0)
    assert figures["ga_rigid"] == pytest.approx(0.0, abs=1e-6)
    assert figures["mrrpe"] == pytest.approx(0.0, abs=1e-6)
    assert figures["c_within"] == 0.0


def test_missing_hand_counts_in_the_covered_figures(take, truth, models):
    status = take.status.copy()
    status[1, COUNT // 2 :] = takes.MISSING
    figures = _figures(dataclasses.replace(take, status=status), truth, models)
    assert figures["recall"] == 0.75
    assert figures["recall_left"] == 1.0
    assert figures["c_mpjpe"] == pytest.approx(0.0, abs=1e-6)
    assert figures["c_mpjpe_covered"] == pytest.approx(PENALTY_MM / 4)
    assert figures["c_within"] == pytest.approx(0.75)


def test_hand_out_of_view_need_not_be_found(take, truth, models):
    visibility = truth.visibility.copy()
    visibility[3:6, 1] = OUTSIDE
    status = take.status.copy()
    status[1, 3:6] = takes.MISSING
    away = dataclasses.replace(truth, visibility=visibility)
    assert _figures(dataclasses.replace(take, status=status), away, models)["recall"] == 1.0
    assert _figures(take, away, models)["infilled"] == 1.0


def test_a_hand_where_none_is_counts_as_false(take, truth, models):
    assert _figures(take, truth, models)["false_hands"] == 0
    transl = take.transl.copy()
    transl[0, 3:7] += [0.0, 0.3, 0.0]
    astray = dataclasses.replace(take, transl=transl)
    assert _figures(astray, truth, models)["false_hands"] == 4
    filled = take.status.copy()
    filled[0, 3:7] = takes.INFILLED  # it does not say that it sees a hand there
    assert _figures(dataclasses.replace(astray, status=filled), truth, models)["false_hands"] == 0


def test_meshes_of_one_topology_are_compared_vertex_by_vertex(take, truth, models):
    predicted = prediction.from_take(take, truth, models)
    known = dataclasses.replace(truth, vertices=predicted.vertices, faces=predicted.faces)
    figures = evaluate(known, predicted).figures
    for name in ("mpvpe", "pa_mpvpe", "surface", "penetration", "true_penetration"):
        assert figures[name] == pytest.approx(0.0, abs=1e-6), name
    twice = np.concatenate([predicted.vertices] * 2, axis=2)
    other = dataclasses.replace(known, vertices=twice, faces=predicted.faces + predicted.vertices.shape[2])
    assert np.isnan(evaluate(other, predicted).figures["mpvpe"])


def test_silhouette_of_the_truth_covers_it(take, truth, models):
    predicted = prediction.from_take(take, truth, models)
    hands = np.stack([silhouette.drawn(truth, predicted, frame) for frame in range(COUNT)])
    assert (hands >= 0).any(axis=(1, 2)).all()
    masked = dataclasses.replace(truth, masks=np.where(hands >= 0, hands + 1, 0).astype(np.uint8))
    assert silhouette.overlap(masked, predicted) == 1.0
    half = dataclasses.replace(take, status=take.status * np.array([[1], [0]], np.uint8))
    assert silhouette.overlap(masked, prediction.from_take(half, truth, models)) == 0.5


def test_how_a_world_is_turned_costs_nothing_relative_to_the_wrist(take, truth, models):
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    said = prediction.from_take(take, truth, models)
    poses = said.world_from_camera.copy()
    poses[:, :3, :3], poses[:, :3, 3] = turn @ poses[:, :3, :3], poses[:, :3, 3] @ turn.T
    turned = dataclasses.replace(
        said, keypoints=said.keypoints @ turn.T, vertices=said.vertices @ turn.T, claims=said.claims @ turn.T,
        world_from_camera=poses,
    )  # fmt: skip
    figures = evaluate(truth, turned).figures
    for name in ("mpjpe", "mpjpe_covered", "mrrpe", "c_mpjpe", "ga_rigid", "error_px"):
        assert figures[name] == pytest.approx(0.0, abs=1e-6), name


def test_a_hand_is_as_long_as_it_is_when_stretched():
    bent, straight = np.zeros((2, 21, 3))
    straight[[9, 10, 11, 12], 0] = 0.09, 0.13, 0.16, 0.18
    bent[[9, 10, 11, 12]] = [0.09, 0, 0], [0.09, 0.03, 0], [0.07, 0.03, 0], [0.07, 0.01, 0]
    assert hand_length(np.stack([bent, bent, straight, bent])) == pytest.approx(0.18)


def test_size_and_swallowed_hands_are_told(take, truth, models):
    shrunk = dataclasses.replace(truth, keypoints=0.8 * truth.keypoints)
    assert _figures(take, shrunk, models)["hand_size"] == pytest.approx(25.0)


def test_swapped_names_are_seen(take, truth, models):
    swapped = dataclasses.replace(take, sides=("right", "left"))
    figures = _figures(swapped, truth, models)
    assert figures["side_right"] == 0.0
    assert figures["c_mpjpe"] > 100


def test_surest_of_two_tracks_on_one_side_counts(take, truth, models):
    confidence = take.confidence.copy()
    confidence[0] = 0.2
    both_right = dataclasses.replace(take, sides=("right", "right"), confidence=confidence)
    predicted = prediction.from_take(both_right, truth, models)
    assert not predicted.found()[:, 0].any()
    assert predicted.spare.sum() == COUNT
    assert np.allclose(predicted.keypoints[:, 1], truth.keypoints[:, 1])


def test_frames_that_a_take_lacks_are_missing(take, truth, models):
    longer = dataclasses.replace(truth, frames=truth.frames + 4)
    assert prediction.from_take(take, longer, models).found().sum(axis=0).tolist() == [COUNT - 4] * 2


def test_take_without_hands_scores_nothing_found(take, truth, models):
    empty = dataclasses.replace(sample_take(COUNT, hands=0), world_from_camera=take.world_from_camera)
    figures = _figures(empty, truth, models)
    assert figures["recall"] == 0.0
    assert figures["c_mpjpe_covered"] == PENALTY_MM
    assert np.isnan(figures["pa_mpjpe"])


def test_every_figure_is_explained_and_the_report_has_all_clips(take, truth, models):
    evaluation = evaluate(truth, prediction.from_take(take, truth, models))
    assert set(evaluation.figures) == set(table.FIGURES)
    run = Run(None, "It broke.", {"hands": 0.6}, 2.0, 1.0, 300.0)
    figures, plots = results.figures_of(evaluation), report.draw(truth, evaluation)
    good = results.Result("walk", "as-is", "Handheld", ALONE, run, 0.4, COUNT, figures, "", plots)
    bad = results.Result("dark", "as-is", "Handheld", ALONE, run, 0.4, COUNT, results.figures_of(None))
    peer = results.Result("walk", "HaWoR", "HaWoR", ALONE, None, 0.4, COUNT, figures)
    page = report.as_html([good, bad, peer], {"walk": "A <walk>."}, ["It got worse."])
    for expected in ("walk", "dark", "A &lt;walk&gt;.", "It got worse.", "It broke.", "<svg", "hands CPU ms/frame"):
        assert expected in page
    written = text.as_markdown([good, bad, peer], {"walk": "A walk."}, ["A remark."])
    assert "| walk | Handheld | 1.00 |" in written
    assert "| overall | HaWoR | 1.00 |" in written
    assert "- dark, Handheld failed: It broke." in written
    assert "A remark." in written
    assert results.as_json([good, bad])["as-is"]["walk"]["run"]["real_time_factor"] == pytest.approx(5.0)
    assert results.overall([good.figures, bad.figures])["recall"] == pytest.approx(0.5)


def test_the_baselines_figures_stand_beside_the_new_ones(take, truth, models):
    figures = results.figures_of(evaluate(truth, prediction.from_take(take, truth, models)))
    now = results.Result("walk", "as-is", "Handheld", ALONE, None, 0.4, COUNT, figures)
    lines = text.as_text([now], {"as-is": {**figures, "recall": 0.123}}).splitlines()
    before, _ = [line for line in lines if "before" in line]
    assert "0.12" in before


def test_gate_passes_noise_and_stops_regressions():
    before = {"c_mpjpe": 30.0, "recall": 0.9, "rte": 1.0, "auc": None}
    assert table.regressions({"c_mpjpe": 31.0, "recall": 0.895, "rte": 9.0, "auc": 0.1}, before) == []
    assert table.regressions({"c_mpjpe": 20.0, "recall": 1.0}, before) == []
    found = table.regressions({"c_mpjpe": 33.0, "recall": 0.8}, before)
    assert len(found) == 2
    assert "C-MPJPE" in " ".join(found)
    assert len(table.regressions({"recall": 0.9, "c_mpjpe": None}, before)) == 1


def test_plot_breaks_its_line_where_nothing_is_known():
    x = np.arange(5.0)
    y = np.array([1.0, 2.0, np.nan, 3.0, 4.0])
    drawn = plot("Errors", [Line("left", x, y, "#000")], "s", "mm")
    assert drawn.count("M") == 2
    assert plot("Nothing", [Line("left", x, x * np.nan, "#000")], "s", "mm") == ""


def test_a_camera_is_judged_by_the_error_that_it_states(take, truth, models):
    wander = np.random.default_rng(0).normal(0, 0.004, (COUNT, 3))
    poses = take.world_from_camera.copy()
    poses[:, :3, 3] += wander
    stated = np.tile([1e-3, 0.004 * np.sqrt(3)], (COUNT, 1))
    said = dataclasses.replace(take, world_from_camera=poses, camera_sigma=stated)
    figures = _figures(said, truth, models)
    assert figures["within_68_camera_turn"] == figures["within_95_camera_turn"] == 1.0
    assert 0.5 < figures["within_68_camera_place"] < 0.9 <= figures["within_95_camera_place"]
    bold = _figures(dataclasses.replace(said, camera_sigma=stated / 10), truth, models)
    assert bold["within_95_camera_place"] < 0.4
    assert np.isnan(_figures(take, truth, models)["within_95_camera_place"])
