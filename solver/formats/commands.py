"""``export`` and ``import`` of the command line."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from .. import take as takes
from ..atomic import require_other
from ..errors import SolverError
from ..hand_model import load_pair
from ..wording import counted
from . import convert, peers

_MOST_COEFFICIENTS = 45  # of 15 joints with 3 angles


def add(commands: argparse._SubParsersAction, frame_rate: type) -> None:
    """Add both to the program's commands; ``frame_rate`` parses a rate."""
    exporting = commands.add_parser("export", help="write a take as MANO parameters")
    exporting.add_argument("take", metavar="TAKE.npz")
    exporting.add_argument("-o", "--output", required=True, metavar="FILE.npz")
    exporting.add_argument("--format", choices=convert.FORMATS, default="smplx")
    exporting.add_argument(
        "--model", default="auto", help="of the take: auto, open, or the path of your own MANO files"
    )
    exporting.add_argument("--for-model", metavar="FOLDER", help="convert betas to the hand model of these MANO files")
    exporting.add_argument("--pca", type=int, default=0, metavar="N", help="N pose coefficients instead of rotations")
    exporting.add_argument("--hand-mean", action="store_true", help="leave the model's mean pose out of hand_pose")
    exporting.set_defaults(run=_export)
    importing = commands.add_parser("import", help="results of Dyn-HaMR, HaWoR, HaMeR, WiLoR or MANO parameters")
    importing.add_argument("result", help="a file, or a folder with one file a frame")
    importing.add_argument("-o", "--output", required=True, metavar="TAKE.npz")
    importing.add_argument("--clip", help="the clip it was made from: picture size, frame rate and numbers")
    importing.add_argument("--model", default="auto", help="auto, open, or the path of your own MANO files")
    importing.add_argument(
        "--focal", type=float, metavar="PX", help="the clip's focal length, if the result's is a guess"
    )
    importing.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"))
    importing.add_argument("--frame-rate", type=frame_rate, metavar="RATE")
    importing.add_argument("--first-frame", type=int, default=1)
    importing.set_defaults(run=_import)


def _export(options: argparse.Namespace) -> int:
    require_other(options.output, options.take)
    take = takes.load(options.take)
    if not 0 <= options.pca <= _MOST_COEFFICIENTS:
        wanted = f"Give --pca a number from 0 to {_MOST_COEFFICIENTS}."
        raise SolverError("option-not-valid", f"A pose can't have {options.pca} coefficients.", wanted)
    if options.pca and options.format != "smplx":
        raise SolverError("option-not-valid", f"{options.format} has no pose coefficients.", "Leave --pca out.")
    own = load_pair("open" if take.model == "open" else options.model)
    models = load_pair(options.for_model) if options.for_model else None
    convert.export(take, Path(options.output), options.format, own, models, options.pca, not options.hand_mean)
    print(f"wrote {options.output}: {_extent(take)}")
    return 0


def _import(options: argparse.Namespace) -> int:
    if options.focal is not None and not 0 < options.focal < math.inf:
        raise SolverError("option-not-valid", f"A focal length can't be {options.focal} px.", "Give --focal above 0.")
    require_other(options.output, options.result, options.clip)
    models = load_pair(options.model)
    result = peers.read(Path(options.result), models)
    take = convert.to_take(result, _footage(options), models)
    takes.save(take, options.output)
    print(f"wrote {options.output}: {result.program}, {_extent(take)}")
    for note in result.notes:
        print(f"note: {note}")
    return 0


def _footage(options: argparse.Namespace) -> convert.Footage:
    size = tuple(options.size) if options.size else None
    if not options.clip:
        return convert.Footage("", "", options.frame_rate, size, options.first_frame, options.focal)
    from .. import video

    clip = video.open_clip(options.clip)
    if size and size != clip.size:
        raise SolverError("clip-size", f"{options.clip} has {clip.size} px, not {size}.", "Leave --size out.")
    rate = options.frame_rate or clip.frame_rate.as_integer_ratio()
    digest = video.content_digest(clip.path)
    return convert.Footage(str(clip.path), digest, rate, clip.size, clip.first_frame, options.focal)


def _extent(take: takes.Take) -> str:
    return f"{counted(len(take.sides), 'hand')}, {counted(len(take.frames), 'frame')}"
