"""The stage that fits the hands to their outlines, after the optimiser has placed them by their landmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..camera.cameras import CameraPath
from ..hand_model import HandModel
from ..optimise.costs import ContourCost, KeypointCost
from ..optimise.evaluation import Evaluation
from ..optimise.problem import Problem
from ..optimise.refine import Refined, continued
from ..optimise.second_look import misfit
from ..optimise.solve import Iterate, Outcome, Stage, run
from ..video import Clip
from .evidence import MaskMaker
from .matching import Evidence
from .mattes import NONE, Masks
from .outlines import ContourWeights, PosedHands, contour_cost, overlaps
from .surface import Surface, surface_of

DEFAULT = ContourWeights()
_ROUND = Stage("outlines", steps=3, tolerance=1e-3)
_PASSES = 2  # the second without what was harmed in the first
_HARM_NATS = 0.8  # rise of the mean robust cost of a hand-frame's landmarks


@dataclass(frozen=True)
class OutlineProgress:
    """``done`` of ``total`` steps of the stage."""

    done: int
    total: int


@dataclass(frozen=True)
class Outlined:
    """The result of the stage.

    Attributes:
        refined: the final state.
        overlap: by index of the clip's track, its frames (n,) and in each the share of hand and mask together that
            both cover (n,); NaN where no mask was to be trusted.
        evidence: the masks by hand-frame, where one is to be trusted, for a later stage.
    """

    refined: Refined
    overlap: Mapping[int, tuple[np.ndarray, np.ndarray]]
    evidence: Mapping[int, Evidence]


def fit_outlines(
    refined: Refined,
    models: Mapping[str, HandModel],
    camera: CameraPath,
    clip: Clip,
    cancelled: Callable[[], bool] = lambda: False,
    given: Masks = NONE,
    weights: ContourWeights = DEFAULT,
) -> Iterator[OutlineProgress | Refined | Outlined]:
    """Masks of the whole clip, then rounds of matching and solving.

    Yields progress, the state after each round, and last the ``Outlined``.

    Args:
        refined: the optimiser's final state. camera: as it was given to the optimiser (for its lens).
        given: masks of the artist's.
    """
    problem, state, first = refined.problem, refined.state, int(refined.origin.clip.frames[0])
    at = problem.at(state)
    breadth = np.zeros(len(state.betas))
    surfaces = [surface_of(models[track.bare.side]) for track in at.layout.tracks]
    rounds = len(weights.reach)
    total = at.layout.hand_count + _PASSES * rounds
    evidence: dict[int, Evidence] = {}
    if surfaces:
        maker = MaskMaker(PosedHands.of(at, surfaces), camera, clip.size, first, given, _seen(refined))
        for done, (hand, seen) in enumerate(maker.run(clip), start=1):
            if seen is not None and seen.trust > 0:
                evidence[hand] = seen
            yield OutlineProgress(min(done, at.layout.hand_count), total)
    iterate = Iterate(state, "outlines", 0, 0, 0.0, 0.0, Outcome.CONVERGED)
    for turn in range(_PASSES):
        problem, iterate = refined.problem, replace(iterate, state=state)
        if not evidence:
            break
        problem = with_outlines(problem, evidence, weights)
        for index in range(rounds):
            cost = contour_cost(problem.at(iterate.state), surfaces, evidence, index, weights, breadth)
            problem = replace(problem, costs=(*_without_contour(problem), cost))
            *_, iterate = run(problem, iterate.state, (_ROUND,), cancelled=cancelled)
            breadth = broader(at, problem.at(iterate.state), evidence, breadth, weights)
            yield OutlineProgress(at.layout.hand_count + turn * rounds + index + 1, total)
            yield continued(refined.origin, problem, iterate)
        cut = {hand for hand, seen in evidence.items() if not seen.drawn}  # what the artist has drawn is right
        misled = harmed(refined.problem, at, problem.at(iterate.state), _HARM_NATS) & cut
        if not misled or cancelled():
            break
        evidence = {hand: seen for hand, seen in evidence.items() if hand not in misled}
    sure = bool(surfaces) and not cancelled()
    final = continued(refined.origin, problem, iterate, final=True, sure=sure)
    yield Outlined(final, overlap_of(final, surfaces, evidence), evidence)


def harmed(problem: Problem, before: Evaluation, after: Evaluation, rise_nats: float) -> set[int]:
    """Hand-frames whose landmarks fit clearly worse than before: there the mask, or its trust, was wrong."""
    return set(np.flatnonzero(misfit(problem, after) > misfit(problem, before) + rise_nats).tolist())


def broader(
    before: Evaluation,
    after: Evaluation,
    evidence: Mapping[int, Evidence],
    taken: np.ndarray,
    weights: ContourWeights,
) -> np.ndarray:
    """(shapes,) log: how much broader, for its length, a person's hand is taken to be than the model.

    Landmarks give a hand's distance by its length, outlines by its breadth, too. Where they differ over all of a
    person's frames, either may be wrong: a share of the difference is laid to the breadth.

    Args:
        before: by landmarks. after: by outlines, whose hands were ``taken`` to be so much broader.
    """
    layout, out = before.layout, np.zeros_like(taken)
    hands = np.array(sorted(evidence), int)
    nearer = np.log(_distance(before)[hands] / _distance(after)[hands])
    shapes = np.array([track.shape for track in layout.tracks], int)[layout.track_of[hands]]
    for shape in set(shapes.tolist()):
        out[shape] = weights.breadth * (taken[shape] + np.median(nearer[shapes == shape]))
    return out


def _distance(at: Evaluation) -> np.ndarray:
    """(N,) metres from the camera to the wrist."""
    return np.linalg.norm(at.state.hands.wrist - at.scaled_centre[at.layout.frame_of], axis=-1)


def _seen(refined: Refined) -> np.ndarray:
    """(N,) bool: the hand-frames that were detected."""
    return np.concatenate([segment.seen for segment in refined.origin.clip.segments])


def with_outlines(problem: Problem, evidence: Mapping[int, Evidence], weights: ContourWeights) -> Problem:
    """The problem with its landmarks trusted less beside an artist's mask: their errors repeat, its don't."""
    share = landmark_shares(problem, evidence, weights)
    costs = tuple(
        replace(cost, whitening=cost.whitening * share[:, None, None, None]) if isinstance(cost, KeypointCost) else cost
        for cost in problem.costs
    )
    return replace(problem, costs=costs)


def landmark_shares(problem: Problem, evidence: Mapping[int, Evidence], weights: ContourWeights) -> np.ndarray:
    """(N,) factor on the landmarks' information, as a square root. Beside a mask that was cut here it is all of it:
    whether a hand is wide or near no outline tells."""
    share = np.ones(problem.layout.hand_count)
    for hand, seen in evidence.items():
        if seen.drawn:
            share[hand] = 1 - (1 - weights.landmarks) * seen.trust
    return share


def _without_contour(problem: Problem) -> tuple:
    return tuple(cost for cost in problem.costs if not isinstance(cost, ContourCost))


def overlap_of(
    refined: Refined, surfaces: Sequence[Surface], evidence: Mapping[int, Evidence]
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """``Outlined.overlap`` of a state."""
    shares = overlaps(PosedHands.of(refined.problem.at(refined.state), surfaces), evidence) if surfaces else np.zeros(0)
    clip = refined.origin.clip
    parts: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for segment, track in zip(clip.segments, clip.layout.tracks, strict=True):
        parts.setdefault(segment.track, []).append((clip.frames[track.frames], shares[track.hands]))
    return {
        index: (np.concatenate([f for f, _ in mine]), np.concatenate([s for _, s in mine]))
        for index, mine in parts.items()
    }
