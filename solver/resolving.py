"""Re-solving a stretch of a take for a client that edits it: the client keeps the motion, this side keeps the problem.

The take on disk is what was seen and what came of it first; it never changes. How the motion stands by now, with
everything that an artist did to it since, comes with each request. So an undo on the client's side needs no word here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from . import constraints as asked
from . import judging, messages
from . import take as takes
from .draft import pose_messages
from .errors import SolverError
from .hand_model import HandModel, loading
from .messages import Message
from .optimise import Resumed, resume
from .standing import Standing
from .take import INFILLED, MISSING, OBSERVED, Take
from .wording import counted

# a pin that is missed by more than this is told about
_MISSED_MM = 2.0


class Resolver:
    """Answers ``ResolveRequest``s; keeps the last take's problem, so that the next answer comes at once.

    An answer depends on the take and the request alone: a process that has just started gives the same.
    """

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._resumed: Resumed | None = None
        self._bridged: tuple[bytes, Resumed] | None = None
        self._models: dict[str, HandModel] = {}

    def answer(self, request: messages.ResolveRequest, cancelled: Callable[[], bool]) -> Iterator[Message]:
        """The stretch's poses after each step of the solver; the last message is Finished or Failed."""
        number = request.request
        try:
            yield from self._resolve(request, cancelled)
        except SolverError as error:
            yield messages.Failed(number, error.code, error.sentence, error.repair)

    def _resolve(self, request: messages.ResolveRequest, cancelled: Callable[[], bool]) -> Iterator[Message]:
        number = request.request
        yield messages.StageStarted(number, "load", "Reading the take", 0, 2)
        resumed = self._standing(request)
        yield messages.StageStarted(number, "resolve", "Re-solving", 1, 2)
        count = _require_valid(request, resumed.take)
        wishes = _present(resumed.take, _parsed(request))
        unguided = _unguided(resumed.take, wishes, request)
        hands = [hand for hand in request.hands or range(len(resumed.take.sides)) if hand not in unguided]
        after = resumed
        steps = (
            resumed.resolve(request.first, request.last, wishes, hands, request.smoothness, cancelled) if hands else ()
        )
        try:
            for step, (_, after) in enumerate(steps):
                if cancelled():
                    yield messages.Finished(number, "", True, "Nothing was changed.")
                    return
                yield messages.Progress(number, "resolve", step + 1, 0)
                if request.shown is not None:
                    yield from _poses(after.take, hands, request, request.shown, request.shown)
        except ValueError as error:
            raise SolverError("constraint-not-valid", f"A pin can't be used: {error}.", "Remove the pin.") from error
        yield from _poses(after.take, hands, request, request.first, request.last)
        yield from judging.judged(request, after, wishes, self._models)
        for missed in (_missed(after.take, wishes, self._models), _apart(after.take, request, wishes, self._models)):
            if missed:
                repair = "Re-solve more frames around it, move the pin, or give it a tolerance."
                yield messages.Warned(number, "pin-not-reached", missed, repair)
        for hand in unguided:
            sentence = f"All footage of the {after.take.sides[hand]} hand is ignored: it was left as it stood."
            repair = "Pin its pose, or ignore fewer frames. If no such hand is to be seen, delete its armature."
            yield messages.Warned(number, "nothing-to-go-by", sentence, repair)
        yield messages.Finished(number, request.take, False, f"{counted(count, 'frame')} solved again.")

    def _standing(self, request: messages.ResolveRequest) -> Resumed:
        resumed = self._loaded(request)
        if not request.standing:
            return resumed
        standing = Standing.load(request.standing)
        take = resumed.take
        if standing.rotations.shape[0] != len(take.sides) or not np.isin(standing.frames, take.frames).all():
            raise SolverError(
                "standing-not-fitting", "The hands in the scene are not those of the take.", "Solve the clip again."
            )
        rows = standing.frames - take.frames[0]
        there = take.status != MISSING
        there[:, rows] |= np.isfinite(standing.transl).all(-1)
        if (there != (take.status != MISSING)).any():
            resumed = self._with_bridges(take, there, standing, rows)
        return resumed.standing_at(rows, standing.rotations, standing.transl, standing.world_from_camera)

    def _with_bridges(self, take: Take, there: np.ndarray, standing: Standing, rows: np.ndarray) -> Resumed:
        """The take with hands also where only the client has them; kept for the next request."""
        key = there.tobytes()
        if self._bridged is None or self._bridged[0] != key:
            bridged = _with_infilled(take, standing, rows)
            self._bridged = key, resume(bridged, self._models, rest=self._resumed.slopes)
        return self._bridged[1]

    def _loaded(self, request: messages.ResolveRequest) -> Resumed:
        key = (request.take, _stamp(request.take), request.model, request.absent)
        if key != self._key or self._resumed is None:
            take = _without(takes.load(request.take), request.absent)
            self._models = loading.load_pair("open" if take.model == "open" else request.model)
            self._resumed, self._key, self._bridged = resume(take, self._models), key, None
        return self._resumed


def _require_valid(request: messages.ResolveRequest, take: Take) -> int:
    """How many of the take's frames lie in the stretch; raises SolverError for a request that makes no sense."""
    inside = (take.frames >= request.first) & (take.frames <= request.last)
    count = int(inside.sum())
    wrong = (
        f"frames {request.first} to {request.last}" if not count
        else f"hands {list(request.hands)}" if not set(request.hands) <= set(range(len(take.sides)))
        else f"a smoothness of {request.smoothness}" if not 0 < request.smoothness < math.inf
        else ""
    )  # fmt: skip
    if wrong:
        sentence = f"{wrong[0].upper()}{wrong[1:]} can't be re-solved in this take."
        raise SolverError(
            "resolve-not-valid", sentence, "Choose frames and hands that it has, and a smoothness above 0."
        )
    if (take.status[:, inside] == MISSING).all():
        sentence = f"No hand is there in frames {request.first} to {request.last}."
        raise SolverError("hand-missing", sentence, "Choose frames in which one is.")
    return count


def _without(take: Take, absent: Sequence[int]) -> Take:
    status = take.status.copy()
    status[[hand for hand in absent if hand < len(take.sides)]] = MISSING
    return dataclasses.replace(take, status=status)


def _stamp(path: str) -> tuple[int, int]:
    try:
        about = Path(path).stat()
    except OSError:
        return (0, 0)
    return about.st_mtime_ns, about.st_size


def _parsed(request: messages.ResolveRequest) -> list[asked.Constraint]:
    try:
        wishes = [asked.from_json(fields) for fields in request.constraints]
    except (ValueError, TypeError) as error:
        raise SolverError("constraint-not-known", f"A pin is not known: {error}.", "Update Handheld.") from error
    for wish in wishes:
        if isinstance(wish, asked.Point) and not np.isfinite(wish.position).all():
            raise SolverError("constraint-not-valid", f"A pin at frame {wish.frame} has no place.", "Remove the pin.")
    return wishes


def _with_infilled(take: Take, standing: Standing, rows: np.ndarray) -> Take:
    """The take with hands where the client has some that were missing: nothing was seen of them there."""
    status, rotations, transl = take.status.copy(), take.rotations.copy(), take.transl.copy()
    there = np.isfinite(standing.transl).all(-1)
    for hand in range(len(take.sides)):
        new = rows[there[hand] & (status[hand, rows] == MISSING)]
        picked = np.isin(rows, new)
        status[hand, new] = INFILLED
        rotations[hand, new], transl[hand, new] = standing.rotations[hand, picked], standing.transl[hand, picked]
    return dataclasses.replace(take, status=status, rotations=rotations, transl=transl)


def _present(take: Take, wishes: Sequence[asked.Constraint]) -> list[asked.Constraint]:
    """What is asked over a range, for the runs of frames in which the hands are there."""
    out: list[asked.Constraint] = []
    for wish in wishes:
        if not isinstance(wish, asked.HoldStill | asked.Ignore | asked.Together):
            out.append(wish)
            continue
        there = take.status[wish.track] != MISSING
        if isinstance(wish, asked.Together):
            there = there & (take.status[wish.other_track] != MISSING)
        frames = take.frames[there]
        frames = frames[(frames >= wish.first) & (frames <= wish.last)]
        runs = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
        out += [dataclasses.replace(wish, first=int(run[0]), last=int(run[-1])) for run in runs if len(run)]
    return out


def _poses(
    take: Take, hands: Sequence[int], request: messages.ResolveRequest, first: int, last: int
) -> Iterator[Message]:
    """Of these hands, in the part of frames ``first`` to ``last`` that was asked for."""
    inside = (take.frames >= max(first, request.first)) & (take.frames <= min(last, request.last))
    for hand in hands:
        rows = np.flatnonzero(inside & (take.status[hand] != MISSING))
        for message in pose_messages(
            hand, take.frames[rows], take.rotations[hand, rows], take.transl[hand, rows], take.confidence[hand, rows]
        ):
            yield dataclasses.replace(message, request=request.request)


def _unguided(take: Take, wishes: Sequence[asked.Constraint], request: messages.ResolveRequest) -> list[int]:
    """The hands of which no footage is trusted, and which no pin and no frame outside the stretch holds: they would
    drift."""
    pinned = {wish.track for wish in wishes if isinstance(wish, asked.Pose | asked.Point)}
    pinned |= {wish.track for wish in wishes if isinstance(wish, asked.ImagePoint) and wish.position_px is not None}
    outside = (take.frames < request.first) | (take.frames > request.last)
    found = []
    for hand in sorted({wish.track for wish in wishes if isinstance(wish, asked.Ignore)} - pinned):
        trusted = take.status[hand] == OBSERVED
        for wish in wishes:
            if isinstance(wish, asked.Ignore) and wish.track == hand:
                trusted &= (take.frames < wish.first) | (take.frames > wish.last)
        if not (trusted | (outside & (take.status[hand] != MISSING))).any():
            found.append(hand)
    return found


def _missed(take: Take, wishes: Sequence[asked.Constraint], models: dict[str, HandModel]) -> str:
    """How far the worst pinned point stays from its pin, in a sentence; "" when all are met."""
    misses = [(*_miss(take, wish, models), wish) for wish in wishes if isinstance(wish, asked.Point)]
    worst = max(misses, key=lambda miss: miss[0], default=None)
    if worst is None or worst[0] < _MISSED_MM:
        return ""
    return f"A pin of the {worst[1]} hand at frame {worst[2].frame} is missed by {worst[0]:.0f} mm."


def _apart(
    take: Take, request: messages.ResolveRequest, wishes: Sequence[asked.Constraint], models: dict[str, HandModel]
) -> str:
    """How far joints that belong together are apart where the stretch or the pin ends, in a sentence; "" if they meet.

    There they have to go over into frames that may not change.
    """
    found = [(0.0, 0)]
    for wish in wishes:
        first, last = max(getattr(wish, "first", 0), request.first), min(getattr(wish, "last", 0), request.last)
        if isinstance(wish, asked.Together) and first <= last:
            for frame in (first, last):
                one = _placed(take, wish.track, wish.keypoint, frame, models)
                other = _placed(take, wish.other_track, wish.other_keypoint, frame, models)
                found.append((1000 * (np.linalg.norm(one - other) - (wish.deviation or 0.0)), frame))
    apart, frame = max(found)
    return f"Joints that belong together are {apart:.0f} mm apart at frame {frame}." if apart > _MISSED_MM else ""


def _miss(take: Take, pin: asked.Point, models: dict[str, HandModel]) -> tuple[float, str]:
    placed = _placed(take, pin.track, pin.keypoint, pin.frame, models)
    return 1000 * float(np.linalg.norm(placed - pin.position)), take.sides[pin.track]


def _placed(take: Take, hand: int, keypoint: int, frame: int, models: dict[str, HandModel]) -> np.ndarray:
    """(3,) of a hand in a clip frame, metres."""
    row, shaped = frame - take.frames[0], models[take.sides[hand]].with_shape(take.betas[hand])
    return shaped.pose(take.rotations[hand, row], take.transl[hand, row]).keypoints[keypoint]
