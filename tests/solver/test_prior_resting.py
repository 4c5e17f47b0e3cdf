"""A hand that is away for long: put to rest between sightings, labelled, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solver.hand_model import load_pair
from solver.hand_model.rotations import angle_between
from solver.prior.resting import rested
from solver.take import MISSING, OBSERVED, RESTING

from .samples import sample_take


def test_rest_fills_the_time_between_sightings_alone():
    take = sample_take(frames=100)
    status = np.full(take.status.shape, OBSERVED, np.uint8)
    status[0, :5] = status[0, 20:90] = status[0, 97:] = MISSING
    rotations, transl = take.rotations.copy(), take.transl.copy()
    rotations[status == MISSING] = transl[status == MISSING] = np.nan
    take = replace(take, status=status, rotations=rotations, transl=transl)
    after = rested(take, load_pair("open"))
    assert (after.status[0, 20:90] == RESTING).all()
    assert (after.status[0, :5] == MISSING).all() and (after.status[0, 97:] == MISSING).all()
    np.testing.assert_array_equal(after.status[1:], take.status[1:])
    seen = status == OBSERVED
    np.testing.assert_array_equal(after.transl[seen], take.transl[seen])
    np.testing.assert_allclose(after.transl[0, 50], take.transl[0, 19])
    assert np.linalg.norm(np.diff(after.transl[0, 18:92], axis=0), axis=-1).max() < 0.2
    steps = angle_between(after.rotations[0, 19:90], after.rotations[0, 20:91])
    assert np.isfinite(steps).all() and steps.max() < np.radians(30)


def test_a_take_without_gaps_stays_as_it_is():
    take = sample_take(frames=10)
    whole = replace(take, status=np.full(take.status.shape, OBSERVED, np.uint8))
    after = rested(whole, load_pair("open"))
    np.testing.assert_array_equal(after.status, whole.status)
    np.testing.assert_array_equal(after.rotations, whole.rotations)
