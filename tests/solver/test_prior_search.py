"""The search that tunes every arm of the gap tables ends between worse neighbours, or says that it ended at an edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.prior import __main__ as prior
from tools.prior.arms import ARMS, Numbers, ruled
from tools.prior.coupling import explained
from tools.prior.search import tune
from tools.prior.table import Row, summed_up

ARM = next(arm for arm in ARMS if arm.name == "OU together")


def bowl(scale: float, memory_s: float, pose: float):
    """Lowest at these numbers, which pull at each other."""

    def value(n: Numbers) -> float:
        a, b, c = np.log2([n.scale / scale, n.memory_s / memory_s, n.pose / pose])
        return a * a + b * b + c * c + 0.4 * a * b

    return value


def test_the_best_is_found_far_from_where_the_search_begins():
    found = tune(ARM, bowl(16.0, 0.8, 0.625))
    assert (found.numbers.scale, found.numbers.memory_s, found.numbers.pose) == (16.0, 0.8, 0.625)
    assert found.at_edge == ()


def test_the_rule_is_searched_from_what_it_has():
    arm, has = ruled("alone", "short"), Numbers(2.0, 0.4, 2.5)
    assert tune(arm, bowl(2.0, 0.4, 2.5), start=has).numbers == has
    assert tune(arm, bowl(2.0, 0.1, 2.5), start=has).numbers == Numbers(2.0, 0.1, 2.5)


def test_an_edge_is_told():
    found = tune(ARM, lambda n: -n.scale)
    assert found.at_edge == ("scale",)
    assert "AT THE EDGE" in str(found)


def test_numbers_that_an_arm_does_not_have_are_left_alone():
    smoother = next(arm for arm in ARMS if arm.name == "slerp")
    assert tune(smoother, bowl(4.0, 0.1, 5.0)).numbers == Numbers(scale=4.0)
    shipped = next(arm for arm in ARMS if arm.name == "shipped")
    assert tune(shipped, bowl(4.0, 0.1, 5.0)).numbers == Numbers()


def test_hands_that_move_alike_tell_of_each_other_and_others_do_not():
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 2000, 3))
    assert explained(0.8 * one + 0.2 * other, one) > 0.75
    assert abs(explained(other, one)) < 0.05


def test_rows_in_which_an_arm_is_surely_worse_are_named():
    rng = np.random.default_rng(1)
    smooth, sequences = 0.02 + 0.001 * rng.standard_normal(40), tuple(f"sequence {k // 4}" for k in range(40))
    arms = tuple(arm for arm in ARMS if arm.name in ("slerp", "OU alone", "OU together"))
    errors = {"slerp": smooth, "OU alone": 1.3 * smooth, "OU together": 0.7 * smooth}
    told = summed_up([Row("thumb, 10", errors, sequences, arms)]).splitlines()
    assert (
        told[1].startswith("- OU alone")
        and "better than the best smoother in 0, surely worse in 1 (thumb, 10)" in told[1]
    )
    assert "better than the best smoother in 1, surely worse in 0" in told[2]


def test_the_tables_stay_where_there_is_nothing_to_make_them_of(tmp_path):
    kept = Path(prior.__file__).with_name("tables") / "coupling.md"
    before = kept.read_bytes()
    with pytest.raises(SystemExit, match="no clip with truth"):
        prior.main(["coupling", str(tmp_path)])
    assert kept.read_bytes() == before and prior.main(["recordings"]) == 2
