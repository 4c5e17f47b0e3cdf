"""What the mapping process is asked and what it answers. Plain arrays, so that both go through one ``.npz`` each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class MappingJob:
    """Attributes:
    size: (2,) working width and height. frame_count: T.
    ids, rows, points_px: (N,) (N,) (N, 2) tracks in order of row, as in ``Tracks``.
    key_rows: (K,) rows of the keyframes, rising.
    feature_counts: (K,) features per keyframe; ``features_px`` (F, 2) all of them in order.
    link_pairs: (L, 2) keyframe indices; ``link_counts`` (L,) matches each; ``links`` (M, 2) feature indices in order.
    focal_px, k1: start values. refine_focal, refine_k1: whether they may change (k2 goes with k1).
    refine_readout: whether the shutter may roll.
    seed: of every random choice.
    profile: refit at focal lengths 12 % off, too.
    """

    size: np.ndarray
    frame_count: int
    ids: np.ndarray
    rows: np.ndarray
    points_px: np.ndarray
    key_rows: np.ndarray
    feature_counts: np.ndarray
    features_px: np.ndarray
    link_pairs: np.ndarray
    link_counts: np.ndarray
    links: np.ndarray
    focal_px: float
    k1: float
    refine_focal: bool
    refine_k1: bool
    refine_readout: bool = True
    seed: int = 0
    profile: bool = False


@dataclass(frozen=True)
class MappedModel:
    """One connected piece of the world, in units of its own.

    Attributes:
        camera_from_world: (T, 4, 4), NaN where the frame is not part of it.
        error_px: (T,) median reprojection error of the tracks, NaN where none.
        counts: (T,) points that each pose rests on.
        sigma: (T, 2) one-sigma of the turn (rad) and step since the frame before; NaN: unknown.
        spread: (T, 2) one-sigma of each pose as groups of points tell it, ``by_focal`` (T, 2) what it changes by as the
            log focal length rises by one.
        focal_px, k1: the lens.
        points: (P, 3); ``point_ids`` (P,) their tracks (-1: features alone); ``point_errors_px`` (P,).
        profile: (3,) mean robust cost of a point, log(1 + px^2), at 0.88, 1 and 1.12 of the focal length; NaN when not
            asked for.
        moving_share: of what was followed for long, what no point that stands still explains.
        zoom: by how much the log focal length differs between parts of the clip that are refitted by themselves.
    """

    camera_from_world: np.ndarray
    error_px: np.ndarray
    counts: np.ndarray
    sigma: np.ndarray
    spread: np.ndarray
    by_focal: np.ndarray
    lens: np.ndarray
    lens_sigma: np.ndarray
    points: np.ndarray
    point_ids: np.ndarray
    point_errors_px: np.ndarray
    profile: np.ndarray
    moving_share: float = 0.0
    zoom: float = 0.0

    @property
    def focal_px(self) -> float:
        return float(self.lens[0])

    @property
    def k1(self) -> float:
        return float(self.lens[1])

    @property
    def posed(self) -> np.ndarray:
        """(T,) bool."""
        return np.isfinite(self.camera_from_world[:, 0, 0])


def save_job(job: MappingJob, path: Path) -> None:
    np.savez(path, **dataclasses.asdict(job))


def load_job(path: Path) -> MappingJob:
    with np.load(path, allow_pickle=False) as data:
        return MappingJob(**{f.name: _plain(data[f.name]) for f in dataclasses.fields(MappingJob)})


def save_models(models: list[MappedModel], path: Path) -> None:
    arrays = {
        f"{i}.{name}": value for i, model in enumerate(models) for name, value in dataclasses.asdict(model).items()
    }
    np.savez(path, count=len(models), **arrays)


def load_models(path: Path) -> list[MappedModel]:
    with np.load(path, allow_pickle=False) as data:
        names = [f.name for f in dataclasses.fields(MappedModel)]
        return [MappedModel(**{n: _plain(data[f"{i}.{n}"]) for n in names}) for i in range(int(data["count"]))]


def _plain(array: np.ndarray):
    return array.item() if array.ndim == 0 else array
