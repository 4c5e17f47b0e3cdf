"""What outlines are worth: ``python -m tools.outline_bench FOLDER [CLIP ...]`` over clip folders of ``tools.truth``.

Per clip, with its true camera (and with ``--sized`` the hand's true length, the oracle that takes away what no picture
tells): the balanced quality, the final one without outlines ("landmarks"), with the product's own masks and with true
masks, each by outlines alone and then rendered (``solver.rendering``), with true outlines and each hand by itself, as
if others were background, and on true masks as they would be of a person whose hands are thicker or thinner all around
by ``_GIRTH_MM``, a tenth of a finger's, at the same length.

Prints the mean error of visible and of hidden joints in the camera's frame (mm, no alignment), relative to the wrist,
of visible joints if all but the hand's length were right ("size": a hand lies as much too far away as it is too long),
how far visible joints lie beyond the true ones (``depth``, mean change of distance), the overlap of hand and true mask,
that of the masks used and the true ones where they say something, CPU ms per hand and frame of the stages, masks
included, and the process's peak memory so far; last each arm against balanced: the mean change of the visible joints'
error over the clips, the clip that fares worst, and in how many the overlap rises.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from solver import hands, initialise, optimise
from solver import take as takes
from solver.bench import truth as truths
from solver.camera.cameras import CameraPath, undistort
from solver.camera.ideal import ideal_tracks
from solver.hand_model import loading
from solver.hand_model.layout import KEYPOINT_NODES, TIP_VERTICES
from solver.hand_model.model import HandModel
from solver.optimise import Refined
from solver.rendering.stage import fit_rendered
from solver.silhouette.crop import crop_around
from solver.silhouette.matching import Evidence
from solver.silhouette.mattes import NONE, Masks
from solver.silhouette.outlines import PosedHands
from solver.silhouette.stage import Outlined, fit_outlines
from solver.silhouette.surface import surface_of
from solver.video import Clip, open_clip

_LEFT, _RIGHT = 1, 2
_GIRTH_MM = 0.7
_MEASURED = 0.01  # relative error of a length that is given, as the product takes it


@dataclass(frozen=True)
class Figures:
    """Of one clip and arm of the comparison; NaN where nothing was to be measured."""

    visible_mm: float
    hidden_mm: float
    relative_mm: float
    size_mm: float
    depth: float
    overlap: float
    masks: float
    cpu_ms: float


class TrueMasks:
    """A clip's true masks, hand by hand, as an artist would draw them over the plate: bent as its lens bends it.

    Without arms: truth doesn't say whose an arm is, and behind a raised hand there is often one that isn't its own.

    Attributes:
        labels: by frame (height, width), as a pinhole sees them.
        thicker_mm: by how much all around the hands are drawn thicker than they are.
    """

    def __init__(self, folder: Path, camera: CameraPath, thicker_mm: float = 0.0) -> None:
        truth = truths.load(folder / "truth.npz")
        with np.load(folder / "truth.npz") as data:
            self.labels = dict(zip(data["frames"].tolist(), data["masks"], strict=True))
        distance = np.nanmean(np.linalg.norm(_from_lens(truth, truth.keypoints), axis=-1), axis=-1)
        grown = 1e-3 * thicker_mm * camera.intrinsics[0] / distance
        self._grown_px = dict(zip(truth.frames.tolist(), grown, strict=True)) if thicker_mm else {}
        self._places = None
        if np.any(camera.distortion):
            height, width = next(iter(self.labels.values())).shape
            pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) + 0.5
            self._places = (undistort(pixels, camera.intrinsics, camera.distortion) - 0.5).astype(np.float32)

    def at(self, number: int, of: str) -> np.ndarray | None:
        own = {"left": _LEFT, "right": _RIGHT}.get(of)
        if own is None:
            return None
        labels = self.labels[number]
        shown = np.where(labels == own, 255, 0).astype(np.uint8)
        if number in self._grown_px:
            shown = _grown(shown, float(np.nan_to_num(self._grown_px[number][own - 1])))
        return shown if self._places is None else cv2.remap(shown, self._places, None, cv2.INTER_NEAREST)


def _grown(mask: np.ndarray, by_px: float) -> np.ndarray:
    """The mask of a thing that is larger all around, to a fraction of a pixel."""
    large = cv2.resize(mask, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    outside, inside = (cv2.distanceTransform(m, cv2.DIST_L2, 5) for m in (255 - large, large))
    kept = np.where(outside - inside < 4 * by_px, 255, 0).astype(np.uint8)
    return np.where(cv2.resize(kept, mask.shape[::-1], interpolation=cv2.INTER_AREA) > 127, 255, 0).astype(np.uint8)


def _from_lens(truth: truths.Truth, points: np.ndarray) -> np.ndarray:
    """(T, 2, 21, 3) world points from the camera's centre."""
    return points - truth.world_from_camera[:, None, None, :3, 3]


def opened(folder: Path) -> tuple[Clip, truths.Truth, CameraPath]:
    """A clip, what is known of it, and its true camera."""
    truth = truths.load(folder / "truth.npz")
    with np.load(folder / "truth.npz") as data:
        camera = CameraPath("given", truth.intrinsics, truth.world_from_camera, data["distortion"])
    return open_clip(str(folder / "clip.mp4")), truth, camera


def measure(folder: Path, sized: bool, rendered: bool) -> Iterator[tuple[str, Figures]]:
    """All arms of one clip; ``rendered``: with the rendering stage."""
    clip, truth, camera = opened(folder)
    models = loading.load_pair("open")
    true = TrueMasks(folder, camera)
    started = begin(clip, camera, models, truth.hand_length() if sized else None)
    solve = partial(optimised, clip, camera, models, started, size_error=_MEASURED if sized else None)
    yield "balanced", figures_of(solve(optimise.BALANCED), truth, true, models)
    refined = solve(replace(optimise.FINAL, outlines=False))
    yield "landmarks", figures_of(refined, truth, true, models)

    def figures(outlined: Outlined, spent_ms: float) -> Figures:
        of = figures_of(outlined.refined, truth, true, models)
        return replace(of, masks=_masks_overlap(outlined.evidence, refined, true), cpu_ms=spent_ms)

    for name, given in (("own masks", NONE), ("true masks", Masks((true,)))):
        outlined, spent_ms = fit(refined, models, camera, clip, given)
        yield name, figures(outlined, spent_ms)
        if rendered:
            yield f"{name}, rendered", figures(*_rendered(outlined, models))
    for name, more_mm in (("true, thicker", _GIRTH_MM), ("true, thinner", -_GIRTH_MM)):
        changed = TrueMasks(folder, camera, more_mm)
        yield name, figures(*fit(refined, models, camera, clip, Masks((changed,))))
    rule = PosedHands.beside
    PosedHands.beside = lambda self, hand: rule(self, hand)[:1]
    try:
        yield "true, hands alone", figures(*fit(refined, models, camera, clip, Masks((true,))))
    finally:
        PosedHands.beside = rule


def begin(clip: Clip, camera: CameraPath, models: Mapping[str, HandModel], hand_length_m: float | None):
    """Tracks and their initial motions."""
    tracks = ideal_tracks(_result(hands.track(clip)), camera)
    options = initialise.FitOptions(hand_length_m=hand_length_m)
    return tracks, initialise.collect(list(initialise.fit_tracks(tracks, models, camera.intrinsics, options)))


def optimised(
    clip: Clip,
    camera: CameraPath,
    models: Mapping[str, HandModel],
    started,
    preset: optimise.Preset,
    size_error: float | None = None,
) -> Refined:
    size_error = optimise.RefineOptions.size_error if size_error is None else size_error
    options = optimise.RefineOptions(preset, uncertainty=False, size_error=size_error)
    numbers = np.array(clip.frame_numbers)
    *_, refined = optimise.refine(*started, models, camera, numbers, float(1 / clip.frame_rate), options)
    return refined


def _result(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def fit(
    refined: Refined, models: Mapping[str, HandModel], camera: CameraPath, clip: Clip, given: Masks
) -> tuple[Outlined, float]:
    """The stage's result, and its CPU ms per hand-frame."""
    begun = time.process_time()
    *_, last = fit_outlines(refined, models, camera, clip, given=given)
    return last, _spent_ms(begun, refined)


def _rendered(outlined: Outlined, models: Mapping[str, HandModel]) -> tuple[Outlined, float]:
    """Likewise."""
    begun = time.process_time()
    *_, last = fit_rendered(outlined, models)
    return last, _spent_ms(begun, outlined.refined)


def _spent_ms(begun: float, refined: Refined) -> float:
    return 1e3 * (time.process_time() - begun) / max(refined.problem.layout.hand_count, 1)


def figures_of(refined: Refined, truth: truths.Truth, true: TrueMasks, models: Mapping[str, HandModel]) -> Figures:
    keypoints = _keypoints(refined, truth, models)
    error = 1e3 * np.linalg.norm(keypoints - truth.keypoints, axis=-1)
    relative = 1e3 * np.linalg.norm(
        (keypoints - keypoints[:, :, :1]) - (truth.keypoints - truth.keypoints[:, :, :1]), axis=-1
    )
    there = np.isfinite(error)
    visible = there & (truth.visibility == truths.VISIBLE)
    true_distance = np.linalg.norm(_from_lens(truth, truth.keypoints), axis=-1)
    distance = np.linalg.norm(_from_lens(truth, keypoints), axis=-1)
    too_long = _lengths(refined)[:, None] / truth.hand_length() - 1
    return Figures(
        _mean(error[visible]),
        _mean(error[there & (truth.visibility == truths.OCCLUDED)]),
        _mean(relative[there & (truth.visibility != truths.OUTSIDE)]),
        1e3 * _mean((np.abs(too_long) * true_distance)[visible]),
        _mean((distance / true_distance - 1)[visible]),
        _overlap(refined, true, models),
        float("nan"),
        float("nan"),
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _lengths(refined: Refined) -> np.ndarray:
    """(2,) metres, wrist to middle fingertip, by side; NaN where there is no hand."""
    out = np.full(2, np.nan)
    for track in refined.problem.layout.tracks:
        out[takes.SIDES.index(track.bare.side)] = track.bare.hand_length(refined.state.betas[track.shape])
    return out


def _keypoints(refined: Refined, truth: truths.Truth, models: Mapping[str, HandModel]) -> np.ndarray:
    """(T, 2, 21, 3) world; of several tracks on one side the longest counts."""
    out = np.full((len(truth.frames), 2, 21, 3), np.nan)
    for track in sorted(refined.tracks, key=lambda track: len(track.frames)):
        posed = models[track.side].with_shape(track.betas).pose(track.rotations, track.transl)
        tips = posed.vertices()[:, list(TIP_VERTICES)]
        rows = np.searchsorted(truth.frames, track.frames)
        out[rows, takes.SIDES.index(track.side)] = np.concatenate([posed.joints, tips], 1)[:, list(KEYPOINT_NODES)]
    return out


def _overlap(refined: Refined, true: TrueMasks, models: Mapping[str, HandModel]) -> float:
    """Mean over hand-frames of hand and true mask together, the share that both cover; arms and things don't count."""
    at, first = refined.problem.at(refined.state), int(refined.origin.clip.frames[0])
    surfaces = [surface_of(models[track.bare.side]) for track in at.layout.tracks]
    posed = PosedHands.of(at, surfaces)
    shares = []
    for hand in range(len(posed)):
        labels = true.labels[int(posed.frames[hand]) + first]
        own = 1 + takes.SIDES.index(posed.surface(hand).model.side)
        crop = crop_around(posed.project(hand))
        if crop is None or not posed.beside(hand):
            continue
        seen = crop.cut(labels, smooth=False, border=cv2.BORDER_CONSTANT)
        known = ((seen == own) | (seen == 0)) & (crop.cut(np.ones_like(labels), False, cv2.BORDER_CONSTANT) > 0)
        model, mask = posed.view(hand, crop).owner == 0, seen == own
        if mask.sum() > 200:
            shares.append((model & mask).sum() / max(((model | mask) & known).sum(), 1))
    return float(np.mean(shares)) if shares else float("nan")


def _masks_overlap(evidence: Mapping[int, Evidence], refined: Refined, true: TrueMasks) -> float:
    """Mean over masks of mask and true mask together, the share that both cover, where the mask says something.

    Where truth shows an arm, another hand or a thing nothing counts: masks are of hands, with or without an arm.
    """
    layout, first, shares = refined.problem.layout, int(refined.origin.clip.frames[0]), []
    for hand, seen in evidence.items():
        labels = true.labels[int(layout.frame_of[hand]) + first]
        own = 1 + takes.SIDES.index(layout.tracks[layout.track_of[hand]].bare.side)
        there = seen.crop.cut(labels, smooth=False, border=cv2.BORDER_CONSTANT)
        known, truth = ~seen.unknown & ((there == own) | (there == 0)), there == own
        both, either = (seen.inside & truth & known).sum(), ((seen.inside | truth) & known).sum()
        shares.append(both / max(either, 1))
    return float(np.mean(shares)) if shares else float("nan")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _summary(found: Mapping[str, Mapping[str, Figures]]) -> Iterator[str]:
    """One line an arm; ``found``: by clip, by arm."""
    for arm in next(iter(found.values())):
        if arm == "balanced":
            continue
        change = {clip: arms[arm].visible_mm / arms["balanced"].visible_mm - 1 for clip, arms in found.items()}
        worst = max(change, key=change.get)
        risen = sum(arms[arm].overlap > arms["balanced"].overlap for arms in found.values())
        mean = np.mean(list(change.values()))
        yield f"{arm:20} {mean:+.1%}, worst {worst} {change[worst]:+.1%}, overlap up in {risen} of {len(found)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clips", nargs="*")
    parser.add_argument("--sized", action="store_true")
    parser.add_argument(
        "--outlines-only", action="store_true", help="without the rendering stage, which is the dearest"
    )
    options = parser.parse_args()
    names = ("visible", "hidden", "relative", "size", "depth", "overlap", "masks", "CPU ms", "peak MB")
    print(f"{'clip':12} {'':20} " + " ".join(f"{name:>8}" for name in names))
    found: dict[str, dict[str, Figures]] = {}
    for path in sorted(options.folder.glob("*/truth.npz")):
        clip = path.parent.name
        if options.clips and clip not in options.clips:
            continue
        for name, f in measure(path.parent, options.sized, not options.outlines_only):
            found.setdefault(clip, {})[name] = f
            print(
                f"{clip:12} {name:20} {f.visible_mm:8.1f} {f.hidden_mm:8.1f} {f.relative_mm:8.1f} {f.size_mm:8.1f} "
                f"{f.depth:+8.1%} {f.overlap:8.3f} {f.masks:8.3f} {f.cpu_ms:8.1f} {_peak_mb():8.0f}",
                flush=True,
            )
    print("\nVisible joints against balanced")
    for line in _summary(found):
        print(line)


if __name__ == "__main__":
    main()
