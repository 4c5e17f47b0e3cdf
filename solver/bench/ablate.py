"""What each part of the product is worth: it is left out, the others stay, and the figures change by that much.

The parts are the optimiser's own list (``optimise.parts``), so that a new cost appears here by itself; further, the
whole optimiser, and finding out how the camera moves. Hands and camera are solved once per clip, then cached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import optimise
from .. import take as takes
from .clips import BenchClip
from .measure import measure
from .results import Figures, Result, overall
from .table import FIGURES, show
from .text import columns, markdown

# what a part may change; a clip's own figures are in the JSON
SHOWN = (
    "recall", "c_mpjpe", "ga_mpjpe_100", "ga_rigid", "mpjpe", "pa_mpjpe", "acc_err", "jitter", "mrrpe", "error_of_hand",
    "silhouette", "penetration", "contact_gap", "within_68_joints",
)  # fmt: skip
_EVERYTHING = "everything"
_UNCHANGED = 1e-9


@dataclass(frozen=True)
class Arm:
    """``left_out``: the part, or "everything" for none. ``figures``: over the clips. ``optimise_ms``: CPU per frame."""

    left_out: str
    figures: Figures
    optimise_ms: float

    def changes(self, whole: Arm) -> bool:
        """Whether leaving the part out made any difference."""
        pairs = ((self.figures[name], whole.figures[name]) for name in FIGURES)
        return any((a is None) != (b is None) or (a is not None and abs(a - b) > _UNCHANGED) for a, b in pairs)


def run(clips: Sequence[BenchClip], quality: str, scratch: Path, say: Callable[[str], None]) -> list[Arm]:
    """Measure every arm on all clips, the whole product first. ``scratch`` is for takes and cache."""

    def measured(part: str, arguments: Sequence[str]) -> tuple[Arm, list[Result]]:
        say(f"without {part} ..." if arguments else "the whole product ...")
        more = ("--quality", quality, "--cache", str(scratch / "cache"), *arguments)
        results = [measure(clip, "as-is", scratch / "takes", pictures=False, more=more) for clip in clips]
        return Arm(part, overall([result.figures for result in results]), _optimise_ms(results)), results

    whole, results = measured(_EVERYTHING, ())
    return [whole, *(measured(part, arguments)[0] for part, arguments in _arms(quality, _costs(results)))]


def _costs(results: Sequence[Result]) -> set[str]:
    """The costs that took part in any of the solves."""
    solved = [takes.load(result.run.take) for result in results if result.run.take]
    return {name for take in solved for name in take.provenance["costs"]}


def _arms(quality: str, taking_part: set[str]) -> list[tuple[str, tuple[str, ...]]]:
    """What to leave out, with the solver's arguments for it."""
    parts = optimise.parts.names(optimise.PRESETS[quality])
    absent = set(optimise.costs.NAMES) - taking_part
    stages = [("optimiser", ("--quality", "initial")), ("camera motion", ("--static",))]
    return stages + [(part, ("--without", part)) for part in parts if part not in absent]


def _optimise_ms(results: Sequence[Result]) -> float:
    spent = sum(result.run.stage_cpu_seconds.get("optimise", 0.0) for result in results)
    return 1e3 * spent / sum(result.frames for result in results)


def as_text(arms: Sequence[Arm]) -> str:
    return "\n".join([*columns(_rows(arms)), "", _idle(arms)])


def as_markdown(arms: Sequence[Arm], clips: Sequence[str], quality: str) -> str:
    parts = [
        "# What each part is worth", "",
        "Written by `python3 build.py bench --suite validation --ablate --update-baseline`; see README.md.", "",
        f"Quality {quality}, clips {', '.join(clips)}, nothing given but the clip. The first row is the whole product;"
        " the others say by how much a figure changes when a part is left out. Where lower is better, a positive number"
        " is what the part is worth, and a negative one says that these clips would be better off without it.", "",
        *markdown(_rows(arms)), "", _idle(arms), "",
        *(f"- {FIGURES[name].title}: {FIGURES[name].about}." for name in SHOWN),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _rows(arms: Sequence[Arm]) -> list[list[str]]:
    whole = arms[0]
    rows = [["", *(f"{FIGURES[name].title} [{FIGURES[name].unit}]" for name in SHOWN), "optimise CPU ms/frame"]]
    rows.append(["the whole product", *(show(whole.figures[name]) for name in SHOWN), show(whole.optimise_ms)])
    for arm in arms[1:]:
        if arm.changes(whole):
            cells = [_change(arm.figures[name], whole.figures[name]) for name in SHOWN]
            rows.append([f"without {arm.left_out}", *cells, _change(arm.optimise_ms, whole.optimise_ms)])
    return rows


def _change(without: float | None, whole: float | None) -> str:
    if without is None or whole is None:
        return show(None)
    difference = without - whole
    return "0" if abs(difference) < 0.005 else f"{'+' if difference > 0 else '−'}{show(abs(difference))}"


def _idle(arms: Sequence[Arm]) -> str:
    idle = [arm.left_out for arm in arms[1:] if not arm.changes(arms[0])]
    return f"Without effect on these clips: {', '.join(idle) or 'none'}."
