"""How much of each table is made: all of it, or enough to see that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Subsets, named at the head of each table.

    Attributes:
        gaps: most gaps of a row in recordings; tuned_gaps: of a row that arms are tuned on.
        lengths: of gaps, frames. rounds: of the search for an arm's numbers.
        rows: how many rows arms are tuned on. clips: most rendered clips of a suite. draws: of a stretch.
        scenes: made-up scenes of each kind.
    """

    name: str
    gaps: int
    tuned_gaps: int
    lengths: tuple[int, ...]
    rounds: int
    rows: int
    clips: int
    draws: int
    scenes: int

    def __str__(self) -> str:
        return (
            f"{self.name}: at most {self.gaps} gaps a row, of {', '.join(map(str, self.lengths))} frames; arms "
            f"tuned in {self.rounds} rounds on {self.rows} rows of at most {self.tuned_gaps} gaps; at most "
            f"{self.clips} clips; {self.draws} draws; {self.scenes} scenes of a kind"
        )


WHOLE = Size("whole", 10, 6, (10, 20, 30, 60), 2, 3, 99, 10, 10)
QUICK = Size("quick", 3, 3, (20,), 1, 1, 1, 4, 1)
