"""The search that tunes every arm of the gap tables ends between worse neighbours, or says that it ended at an edge."""

from __future__ import annotations

import numpy as np

from tools.prior.arms import ARMS, Numbers
from tools.prior.search import tune

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


def test_an_edge_is_told():
    found = tune(ARM, lambda n: -n.scale)
    assert found.at_edge == ("scale",)
    assert "AT THE EDGE" in str(found)


def test_numbers_that_an_arm_does_not_have_are_left_alone():
    smoother = next(arm for arm in ARMS if arm.name == "slerp")
    assert tune(smoother, bowl(4.0, 0.1, 5.0)).numbers == Numbers(scale=4.0)
    shipped = next(arm for arm in ARMS if arm.name == "shipped")
    assert tune(shipped, bowl(4.0, 0.1, 5.0)).numbers == Numbers()
