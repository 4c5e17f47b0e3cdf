"""The learned prior against what ships on rendered clips, with real detections and the whole solve's costs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..arms import FRAME_S, SHIPPED, Arm, Numbers
from ..clip_table import make_hole, solve
from ..fit import fit
from ..gaps import HIDDEN
from ..recordings import Recording
from ..rendered import observe
from ..table import change
from .arm import Learned

_ROWS = (
    ("ring and pinky never seen", 0), ("four fingers never seen", 0), ("thumb never seen", 0),
    ("ring and pinky", 20), ("four fingers", 20), ("thumb", 20), ("all fingers", 20),
)  # fmt: skip


def run(
    recordings: Sequence[Recording],
    folders: Sequence[Path],
    cache: Path,
    learned: Mapping[str, Learned],
    widths: Sequence[float],
    say: Callable[[str], None],
) -> None:
    """Print a row per kind of gap: mean error of hidden keypoints, palm's frame, mm, at each width of the target."""
    fitted = functools.cache(lambda memory_s: fit(recordings, FRAME_S, memory_s))
    solved = [solve(observe(folder, cache)) for folder in folders]
    arms: dict[str, tuple[Arm, Numbers]] = {SHIPPED.name: (SHIPPED, Numbers())}
    for name, arm in learned.items():
        arms |= {f"{name}, width {width:g}": (arm, Numbers(pose=width)) for width in widths}
    say(f"| hidden, frames | clips | {' | '.join(arms)} |")
    say("|---" * (2 + len(arms)) + "|")
    for name, length in _ROWS:
        holes = [hole for one in solved if (hole := make_hole(one, HIDDEN[name], length)) is not None]
        sequences = [clip for hole in holes for clip in hole.sequences()]
        scenes = [hole.scene(fitted) for hole in holes]
        errors = {
            title: np.concatenate([
                hole.fingers_m(arm.fill(scene, numbers)) for hole, scene in zip(holes, scenes, strict=True)
            ])
            for title, (arm, numbers) in arms.items()
        }  # fmt: skip
        base = errors[SHIPPED.name]
        cells = [f"{1e3 * base.mean():.1f}"]
        cells += [
            f"{1e3 * e.mean():.1f} ({change(e, base, sequences)})" for t, e in errors.items() if t != SHIPPED.name
        ]
        say(f"| {name}, {length or 'all'} | {len(set(sequences))} | {' | '.join(cells)} |")
