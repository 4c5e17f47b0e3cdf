"""``camera`` of the command line: a take's camera for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ... import take as takes
from ...atomic import require_other
from ...errors import SolverError
from . import chan, colmap, npz
from .known import KnownCamera, LensPart


def add(commands: argparse._SubParsersAction) -> None:
    """Add it to the program's commands."""
    exporting = commands.add_parser("camera", help="write a take's camera as .chan, .npz, or a COLMAP text model")
    exporting.add_argument("take", metavar="TAKE.npz")
    exporting.add_argument(
        "-o", "--output", required=True, type=Path, metavar="FILE", help=".chan, .npz, or a folder for COLMAP"
    )
    exporting.add_argument("--order", choices=chan.ORDERS, default="ZXY", help="of the turns in a .chan")
    exporting.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    path: Path = options.output
    if path.suffix not in ("", ".chan", ".npz"):
        wanted = "Give -o a file that ends in .chan or .npz, or a folder for COLMAP."
        raise SolverError("unknown-format", f"No camera format is called {path.suffix}.", wanted)
    require_other(path, options.take)
    known = of_take(takes.load(options.take))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".chan":
            chan.write(path, known, options.order)
        elif path.suffix == ".npz":
            npz.write(path, known)
        else:
            colmap.write(path, known)
    except OSError as error:
        raise SolverError(
            "export-not-writable", f"{path} could not be written ({error.strerror}).", "Choose another folder."
        ) from error
    print(f"wrote {path}: {len(known.frames)} frames")
    return 0


def of_take(take: takes.Take) -> KnownCamera:
    """The take's camera and points, in its world."""
    lens = LensPart(take.intrinsics, take.size, take.distortion, take.distortion_model)
    errors = take.point_errors_px if len(take.point_errors_px) == len(take.points) else np.zeros(len(take.points))
    return KnownCamera(
        take.frames.astype(float), take.world_from_camera, lens, points=take.points, point_errors_px=errors
    )
