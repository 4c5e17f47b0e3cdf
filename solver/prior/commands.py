"""``sample`` of the command line."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from .. import take as takes
from ..atomic import require_other
from ..errors import SolverError
from ..take import MISSING, Take


def add(commands: argparse._SubParsersAction) -> None:
    """Add it to the program's commands."""
    sampling = commands.add_parser("sample", help="other motions for what the footage does not show")
    sampling.add_argument("take", metavar="TAKE.npz")
    sampling.add_argument("-o", "--output", required=True, metavar="TAKE.npz")
    sampling.add_argument("--seed", type=int, default=1, help="same seed, same motion (default 1)")
    sampling.add_argument("--count", type=int, default=1, metavar="N", help="takes with seeds SEED, SEED + 1, ...")
    sampling.add_argument("--hand", type=int, metavar="NUMBER", help="of the take's hands, from 0; default: all")
    sampling.add_argument(
        "--frames", nargs=2, type=int, metavar=("FIRST", "LAST"), help="default: all hidden stretches"
    )
    sampling.add_argument(
        "--without-picture", action="store_true", help="what was seen of the hand in these frames does not count"
    )
    sampling.add_argument("--model", default="auto", help="of the take: auto, open, or the path of your own MANO files")
    sampling.set_defaults(run=_sample)


def _sample(options: argparse.Namespace) -> int:
    if options.count < 1:
        raise SolverError("option-not-valid", f"{options.count} takes can't be drawn.", "Give --count 1 or more.")
    if options.seed < 0:
        raise SolverError("option-not-valid", f"The seed can't be {options.seed}.", "Give --seed 0 or more.")
    from ..hand_model import load_pair
    from ..optimise.resume import resume
    from .sampling import sample

    output = Path(options.output)
    require_other(output, options.take)
    take = takes.load(options.take)
    resumed = resume(take, load_pair("open" if take.model == "open" else options.model))
    stretches = _stretches(take, options)
    for seed in range(options.seed, options.seed + options.count):
        path = output if options.count == 1 else output.with_stem(f"{output.stem}-{seed}")
        drawn = resumed
        for hand, first, last in stretches:
            drawn = sample(drawn, first, last, seed, [hand], without_picture=options.without_picture)
        takes.save(replace(drawn.take, provenance={**take.provenance, "sample": {"seed": seed}}), path)
        told = ", ".join(f"hand {hand} in frames {first} to {last}" for hand, first, last in stretches)
        print(f"wrote {path}: drawn with seed {seed}: {told}")
    return 0


def _stretches(take: Take, options: argparse.Namespace) -> list[tuple[int, int, int]]:
    """(hand, first frame, last frame) of what is to be drawn.

    Raises:
        SolverError: ``no-such-hand``, ``nothing-hidden``, ``hand-missing``.
    """
    if options.hand is not None and not 0 <= options.hand < len(take.sides):
        raise SolverError("no-such-hand", f"The take has no hand {options.hand}.", f"Give 0 to {len(take.sides) - 1}.")
    from .sampling import hidden_stretches

    hands = range(len(take.sides)) if options.hand is None else [options.hand]
    if not options.frames:
        found = [(hand, *stretch) for hand in hands for stretch in hidden_stretches(take, hand)]
        if not found:
            raise SolverError("nothing-hidden", "No stretch of the take was infilled.", "Name one with --frames.")
        return found
    first, last = options.frames
    inside = (take.frames >= first) & (take.frames <= last)
    found = [(hand, first, last) for hand in hands if (take.status[hand, inside] != MISSING).any()]
    if not found:
        raise SolverError(
            "hand-missing", f"No hand is there in frames {first} to {last}.", "Choose frames in which it is."
        )
    return found
