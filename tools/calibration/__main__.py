"""``python -m tools.calibration``: sample views of the open hand, render them (Blender's Python), fit the offsets."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from solver.hand_model import load_pair
from solver.initialise.calibration import write_calibration
from solver.initialise.kinematics import skeleton_of
from solver.observations import KEYPOINT_NAMES

from .hint import hint_errors
from .observe import Observation, observe
from .offsets import fit_offsets, image_errors, robust_sigma
from .views import load_views, sample_views, save_views

_SHIPPED = Path(__file__).resolve().parents[2] / "solver" / "initialise" / "calibration.json"
_HELD_OUT = 3  # every third identity


def main() -> None:
    arguments = _arguments()
    if arguments.command == "sample":
        models = load_pair("open")
        save_views(arguments.folder, sample_views(models, arguments.count, arguments.people, arguments.seed), models)
        print(f"next: BLENDER_PYTHON -m tools.calibration.render {arguments.folder}")
    else:
        _fit(arguments.folder, arguments.write)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.calibration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser("sample", help="draw identities, poses and cameras")
    sample.add_argument("folder", type=Path)
    sample.add_argument("--count", type=int, default=240)
    sample.add_argument("--people", type=int, default=15)
    sample.add_argument("--seed", type=int, default=1)
    fit = commands.add_parser("fit", help="read the rendered views with the landmark net and fit the offsets")
    fit.add_argument("folder", type=Path)
    fit.add_argument("--write", action="store_true", help="replace the shipped calibration")
    return parser.parse_args()


def _fit(folder: Path, write: bool) -> None:
    views = load_views(folder)
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
    _print_hints(seen, growth, offsets)
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


def _print_hints(seen: list[Observation], growth: np.ndarray, offsets: np.ndarray) -> None:
    for name, along_ray in (("optical axis", False), ("viewing ray", True)):
        errors = hint_errors(seen, growth, offsets, along_ray)
        core = 1.4826 * np.median(np.abs(errors))
        print(f"net's depth along the {name}: sigma {core:.3f} palm sizes (robust), {errors.std():.3f} (plain)")


def _provenance(seen: list[Observation], before: np.ndarray, after: np.ndarray) -> str:
    return (
        f"python -m tools.calibration: {len(seen)} Cycles renders of the open hand (random shapes, poses, views, skins)"
        " read by MediaPipe's hand_landmark_full. Held-out people: median landmark error"
        f" {_percent(before):.2f} -> {_percent(after):.2f} % of hand size."
    )


if __name__ == "__main__":
    main()
