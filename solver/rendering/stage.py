"""The last stage of a solve: hands rendered over the plate, held to their masks pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..hand_model import HandModel
from ..optimise.costs import ContourCost, Cost
from ..optimise.evaluation import Evaluation
from ..optimise.problem import Problem
from ..optimise.refine import Refined, continued
from ..optimise.solve import Iterate, Outcome, Stage, run
from ..silhouette.crop import SIZE
from ..silhouette.matching import Evidence, match
from ..silhouette.outlines import PosedHands
from ..silhouette.stage import Outlined, OutlineProgress, harmed, overlap_of
from ..silhouette.surface import Surface, surface_of
from .cost import RenderCost
from .mesh import pose_blend, vertex_points
from .target import target_of


@dataclass(frozen=True)
class RenderWeights:
    """Lengths are shares of a crop's side.

    Attributes:
        softness: width of the soft border, round by round.
        reach: how far from its mask's border a pixel may lie to say anything, round by round.
        deviation: of a piece of outline as long as a crop pixel, across itself.
    """

    softness: tuple[float, ...] = (3 / 128,)
    reach: tuple[float, ...] = (8 / 128,)
    deviation: float = 1 / 128


DEFAULT = RenderWeights()
_PASSES = 2  # of a round: the second without what was harmed in the first
_HARM_NATS = 0.5  # rise of the mean robust cost of a hand-frame's landmarks
_ROUND = Stage("rendering", steps=6, tolerance=1e-3)


def fit_rendered(
    outlined: Outlined,
    models: Mapping[str, HandModel],
    cancelled: Callable[[], bool] = lambda: False,
    weights: RenderWeights = DEFAULT,
    drawn_alone: bool = False,
) -> Iterator[OutlineProgress | Refined | Outlined]:
    """Rounds of rendering and solving, after those of ``silhouette.stage``, on the same masks and with the same trust.

    The picture's pixels take the place of the outline's points: they say the same, and more of it.

    Args:
        drawn_alone: render where the mask is an artist's; elsewhere hands stay on their outlines.

    Yields progress, the state after each round, and last an ``Outlined``.
    """
    refined = outlined.refined
    evidence = {hand: seen for hand, seen in outlined.evidence.items() if seen.drawn or not drawn_alone}
    problem = refined.problem
    surfaces = [surface_of(models[track.bare.side]) for track in problem.layout.tracks]
    iterate = Iterate(refined.state, "rendering", 0, 0, 0.0, 0.0, Outcome.CONVERGED)
    rounds = len(weights.softness) if evidence else 0
    for index in range(rounds):
        before = problem.at(iterate.state)
        for turn in range(_PASSES):
            cost = render_cost(before, surfaces, evidence, index, weights)
            problem = replace(refined.problem, costs=(*_elsewhere(refined.problem, evidence), cost))
            start = iterate.state
            for iterate in run(problem, start, (_ROUND,), cancelled=cancelled):
                done = (index * _PASSES + turn) * _ROUND.steps + iterate.step
                yield OutlineProgress(done, rounds * _PASSES * _ROUND.steps)
            misled = harmed(problem, before, problem.at(iterate.state), _HARM_NATS) & evidence.keys()
            if not misled or cancelled():
                break
            evidence = {hand: seen for hand, seen in evidence.items() if hand not in misled}
        yield continued(refined.origin, problem, iterate)
    final = continued(refined.origin, problem, iterate, final=True, sure=bool(surfaces) and not cancelled())
    yield Outlined(final, overlap_of(final, surfaces, outlined.evidence), outlined.evidence)


def render_cost(
    at: Evaluation,
    surfaces: Sequence[Surface],
    evidence: Mapping[int, Evidence],
    round_index: int,
    weights: RenderWeights = DEFAULT,
) -> RenderCost:
    """The cost for a state.

    Args:
        surfaces: by track. evidence: by hand-frame, where there is one to trust.
    """
    softness, reach = SIZE * weights.softness[round_index], SIZE * weights.reach[round_index]
    skins = tuple(vertex_points(surface) for surface in surfaces)
    excess = _excess(PosedHands.of(at, surfaces), evidence, reach)
    track_of = at.layout.track_of
    return RenderCost(
        surfaces=tuple(surfaces),
        skins=skins,
        targets={
            hand: target_of(seen, softness, reach, excess.get(int(track_of[hand]), 0.0))
            for hand, seen in evidence.items()
        },
        blend=np.concatenate([pose_blend(at, index, skin) for index, skin in enumerate(skins)]),
        softness=softness,
        # an outline that is off by its deviation misfits by a half in a sum of squares over its length
        information=np.sqrt(softness) / (SIZE * weights.deviation),
        camera_from_world=at.state.camera_from_world,
        camera_centre=at.scaled_centre,
        focal_px=at.focal_px,
        centre_px=at.view.centre_px,
    )


def _excess(hands: PosedHands, evidence: Mapping[int, Evidence], reach: float) -> dict[int, float]:
    """By track, how far the model's outline lies outside the masks' as a rule, in crop pixels.

    A model that is thicker than the person's hand, or masks that are cut tight, must not become distance.
    """
    gaps: dict[int, list[np.ndarray]] = {}
    for hand, seen in evidence.items():
        if hands.beside(hand):
            found = match(hands.outline(hand, seen.crop), seen, reach)
            gaps.setdefault(int(hands.tracks[hand]), []).append(found.gaps)
    joined = {track: np.concatenate(all_) for track, all_ in gaps.items()}
    return {track: float(np.median(all_)) for track, all_ in joined.items() if len(all_)}


def _elsewhere(problem: Problem, rendered: Collection[int]) -> Iterator[Cost]:
    """The problem's costs without the outlines' hold on hand-frames that are ``rendered``: it would count twice."""
    for cost in problem.costs:
        if isinstance(cost, ContourCost):
            normals = cost.normals.copy()
            normals[list(rendered)] = 0
            yield replace(cost, normals=normals, places=np.where(normals.any(-1), cost.places, 0.0))
        else:
            yield cost
