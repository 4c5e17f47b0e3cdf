"""The table of how true the world's size and vertical are."""

import numpy as np

from solver.bench import world
from solver.bench.world import Row


def test_intervals_are_counted_and_a_miss_is_named():
    found = {
        "walk": [
            Row("whole", 0.9, 0.7, 1.2, ("still hands",), 0.4, 1.1, 6.0, (0.1, 0.3)),
            Row("middle", 0.5, 0.4, 0.8, ("guess",)),
        ],
        "pan": [Row("whole", np.nan, np.nan, np.nan, (), 0.2, 1.0, 3.0)],
    }
    lines = world.table(found).splitlines()
    assert "NO" in lines[2] and "NO" not in lines[1] and "0.40 (1.1, 6.0)" in lines[1]
    assert lines[-4] == "intervals, all: 1 of 2 hold; median error a factor of 1.49"
    assert lines[-2] == "intervals, sure: 1 of 1 hold; median error a factor of 1.11"
    assert lines[-1] == "hands too far, whole (log): mean +0.200, sigma 0.100: +0.10, +0.30"


def test_no_clips_is_said_so(tmp_path, capsys):
    assert world.main(["--clips", str(tmp_path)]) == 2
    assert "no clip with truth" in capsys.readouterr().err
