"""``python -m tools.calibration``: sample views of the open hand, render them (Blender's Python), fit the offsets."""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from solver.hand_model import load_pair
from solver.hands.lift import write_hint_calibration
from solver.initialise.calibration import default_calibration, write_calibration
from solver.initialise.kinematics import skeleton_of
from solver.observations import KEYPOINT_NAMES

from .lift import fit_lift, held_out_errors, palm_tilts, rows_of, shrinkage
from .misread import fit_weights, foretold, judged
from .observe import DEGRADED, PLAIN, Observation, observe
from .offsets import fit_offsets, image_errors, robust_sigma
from .views import View, load_views, sample_views, save_views

_SOLVER = Path(__file__).resolve().parents[2] / "solver"
_SHIPPED, _SHIPPED_HINT = _SOLVER / "initialise" / "calibration.json", _SOLVER / "hands" / "hint_calibration.json"
_HELD_OUT = 3  # every third identity
_ERROR_CLASSES = (0, 0.05, 0.08, 0.12, 0.18, 0.3, 2)


def main() -> None:
    arguments = _arguments()
    if arguments.command == "sample":
        models = load_pair("open")
        save_views(
            arguments.folder,
            sample_views(models, arguments.count, arguments.people, arguments.seed, arguments.things),
            models,
        )
        print(f"next: BLENDER_PYTHON -m tools.calibration.render {arguments.folder}")
    elif arguments.command == "fit":
        _fit(arguments.folder, arguments.write)
    elif arguments.command == "misread":
        _fit_misread(arguments.folders)
    else:
        _fit_hint(arguments.folders, arguments.write)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.calibration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser("sample", help="draw identities, poses and cameras")
    sample.add_argument("folder", type=Path)
    sample.add_argument("--count", type=int, default=240)
    sample.add_argument("--people", type=int, default=15)
    sample.add_argument("--seed", type=int, default=1)
    sample.add_argument("--things", action="store_true", help="hands that hold something, half hidden ones, pairs")
    fit = commands.add_parser("fit", help="read the rendered views with the landmark net and fit the offsets")
    fit.add_argument("folder", type=Path)
    hint = commands.add_parser("hint", help="... and fit the map that sets the net's own 3D hand right")
    hint.add_argument("folders", type=Path, nargs="+")
    misread = commands.add_parser("misread", help="... and fit what foretells that a hand is misread")
    misread.add_argument("folders", type=Path, nargs="+")
    for command in (fit, hint):
        command.add_argument("--write", action="store_true", help="replace the shipped calibration")
    return parser.parse_args()


def _fit(folder: Path, write: bool) -> None:
    views = _views(folder)
    seen = observe(folder, views)
    growth = _growth(seen)
    held_out = np.array([o.view.identity % _HELD_OUT == _HELD_OUT - 1 for o in seen])
    train, test = ([o for o, out in zip(seen, held_out, strict=True) if out == want] for want in (False, True))
    learnt = fit_offsets(train, growth[~held_out])
    before = image_errors(test, growth[held_out], np.zeros((21, 3)))
    after = image_errors(test, growth[held_out], learnt)
    print(f"{len(views)} views, {len(seen)} read; {len(train)} to learn from, {len(test)} of other people to test on")
    _print_table(before, after, learnt)
    offsets = fit_offsets(seen, growth)
    sigma = robust_sigma(_well_read_half(image_errors(seen, growth, offsets)))
    print(f"what the offsets leave in the better read half: sigma {100 * np.median(sigma):.2f} % of hand size")
    print(f"all views: offsets move by {1e3 * np.abs(offsets - learnt).max():.1f} mm at most against the learnt ones")
    if write:
        write_calibration(_SHIPPED, offsets, sigma, _provenance(seen, before, after))


def _growth(seen: list[Observation]) -> np.ndarray:
    skeletons = {side: skeleton_of(model, np.zeros((21, 3))) for side, model in load_pair("open").items()}
    return np.array([skeletons[o.view.side].growth @ np.append(1.0, o.view.betas) for o in seen])


def _print_table(before: np.ndarray, after: np.ndarray, offsets: np.ndarray) -> None:
    print(f"{'held-out median error, % of hand size':<40}{'before':>8}{'after':>8}{'offset, mm':>12}")
    for k, name in enumerate(KEYPOINT_NAMES):
        length = 1e3 * np.linalg.norm(offsets[k])
        print(f"{name:<40}{_percent(before[:, k]):8.2f}{_percent(after[:, k]):8.2f}{length:12.1f}")
    print(f"{'all':<40}{_percent(before):8.2f}{_percent(after):8.2f}")


def _percent(errors: np.ndarray) -> float:
    return float(100 * np.median(np.linalg.norm(errors, axis=-1)))


def _well_read_half(errors: np.ndarray) -> np.ndarray:
    """Random views hold many that no net can read; there the tracker's own covariance is large. What is added to it
    is the error of a good reading."""
    per_view = np.median(np.linalg.norm(errors, axis=2), axis=1)
    return errors[per_view <= np.median(per_view)]


def _fit_hint(folders: list[Path], write: bool) -> None:
    seen, people = [], []
    for number, folder in enumerate(folders):
        observed = observe(folder, _views(folder), in_all_ways=True)
        seen += observed
        people += [1000 * number + o.view.identity for o in observed]
    growth, offsets, ways = _growth(seen), default_calibration().offsets_m, np.array([o.way for o in seen])
    plain = np.flatnonzero(ways == PLAIN)
    slope = shrinkage([seen[i] for i in plain], growth[plain], offsets)
    print(f"the hand's size falls by {slope:.1%} per decade of doubt")
    inputs, targets = rows_of(seen, growth, offsets)
    own = inputs[:, 42:].reshape(-1, 21, 3) - targets.reshape(-1, 21, 3)
    left = held_out_errors(inputs, targets, np.array(people))
    print(f"{len(plain)} pictures; held-out people's rms error in palm sizes, x, y, depth; palm's tilt, deg")
    depths = []
    for way in (PLAIN, DEGRADED):
        for name, errors in (("the net's own", own), ("set right", left)):
            depths.append(_print_hint_errors(f"{way}, {name}", errors[ways == way], targets[ways == way]))
    if write:
        write_hint_calibration(_SHIPPED_HINT, fit_lift(inputs, targets, _hint_provenance(len(plain), depths)))


def _fit_misread(folders: list[Path]) -> None:
    found, people = [], []
    for number, folder in enumerate(folders):
        own = judged(folder, _views(folder), default_calibration().offsets_m)
        found += own
        people += [1000 * number + reading.identity for reading in own]
    rows, errors = np.array([f.signs for f in found]), np.array([f.error for f in found])
    growth, guess = np.array([f.growth for f in found]), foretold(rows, errors, np.array(people))
    print(
        f"{len(found)} readings; correlation of the held-out logarithms {np.corrcoef(guess, np.log(errors))[0, 1]:.2f}"
    )
    print(f"weights of vote, doubt, disagreement, one: {np.round(fit_weights(rows, errors), 2).tolist()}")
    print(f"{'foretold error':<18}{'readings':>9}{'median':>8}{'90 %':>8}{'drawn larger by':>17}{'deviation':>11}")
    for low, high in pairwise(_ERROR_CLASSES):
        inside = (np.exp(guess) >= low) & (np.exp(guess) < high)
        if inside.any():
            middle, most = np.quantile(errors[inside], [0.5, 0.9])
            drawn = f"{np.median(growth[inside]):17.3f}{growth[inside].std():11.3f}"
            print(f"{f'{low} .. {high}':<18}{inside.sum():9d}{middle:8.3f}{most:8.3f}{drawn}")


def _views(folder: Path) -> list[View]:
    """The views of a folder, or a sentence and the end of the program."""
    if not (folder / "views.npz").is_file():
        raise SystemExit(f"There is no views.npz in {folder}: python -m tools.calibration sample {folder} makes it.")
    if not any(folder.glob("*.png")):
        raise SystemExit(f"No picture is in {folder}: BLENDER_PYTHON -m tools.calibration.render {folder} makes them.")
    return load_views(folder)


def _print_hint_errors(name: str, errors: np.ndarray, targets: np.ndarray) -> float:
    """One row of the table; returns the depth's."""
    tilt, rms = palm_tilts(errors, targets), _rms(errors)
    print(f"{name:<28}" + "".join(f"{value:8.3f}" for value in rms) + f"{np.median(tilt):8.1f}")
    return float(rms[2])


def _hint_provenance(pictures: int, depths: list[float]) -> str:
    own, right, own_degraded, right_degraded = depths
    return (
        f"python -m tools.calibration hint: {pictures} Cycles renders of the open hand read by MediaPipe's "
        "hand_landmark_full, plain, mirrored, from a shifted region, and small, blurred, dark, noisy and compressed."
        f" Held-out people: depth error {own:.2f} -> {right:.2f} palm sizes, degraded pictures"
        f" {own_degraded:.2f} -> {right_degraded:.2f}."
    )


def _rms(errors: np.ndarray) -> np.ndarray:
    return np.sqrt((errors**2).mean((0, 1)))


def _provenance(seen: list[Observation], before: np.ndarray, after: np.ndarray) -> str:
    return (
        f"python -m tools.calibration: {len(seen)} Cycles renders of the open hand (random shapes, poses, views, skins)"
        " read by MediaPipe's hand_landmark_full. Held-out people: median landmark error"
        f" {_percent(before):.2f} -> {_percent(after):.2f} % of hand size."
    )


if __name__ == "__main__":
    main()
