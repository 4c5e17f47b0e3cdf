"""Finds out what an armature's bones are: by the names of known rigs, then by words and shape. NumPy only.

Known rigs are the JSON files of ``maps``. A rig that follows none of them is searched for hands: a bone from which
several chains of two to five bones fan out. Fingers are told apart by words in their names, else by where they are; the
side by words, else by which way the fingers bend.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...solver.hand_model.layout import FINGERS
from . import rig_map
from .rig_map import LONGEST_FINGER, SIDES, RigMap
from .skeleton import Skeleton

_FINGER_WORDS = {
    "thumb": ("thumb", "thmb", "pollex"),
    "index": ("index", "point", "indx"),
    "middle": ("middle", "mid", "mddl"),
    "ring": ("ring",),
    "pinky": ("pinky", "pinkie", "little", "small", "pnky"),
}
_SIDE_WORDS = {"left": ("left", "l"), "right": ("right", "r")}
_ARM_WORDS = {"forearm": ("forearm", "lowerarm", "elbow"), "upper_arm": ("upperarm", "uparm", "arm", "shoulder")}
_TIP_WORDS = ("end", "tip", "nub", "top")
_FEWEST_CHAINS = 3
_MOST_BONES = 5


def find(skeleton: Skeleton, maps: Sequence[RigMap] | None = None) -> RigMap | None:
    """The map that fits an armature best, reduced to bones that it has; None: no hand was found."""
    fitted = [_fitted(known, skeleton) for known in (rig_map.known() if maps is None else maps)]
    fitting = [(_score(candidate), candidate) for candidate in fitted if candidate.sides()]
    best = max(fitting, key=lambda entry: entry[0], default=(0, None))
    return best[1] if best[1] is not None else _from_shape(skeleton)


# --- known rigs -------------------------------------------------------------------------------------------------------


def _fitted(known: RigMap, skeleton: Skeleton) -> RigMap:
    """A map with the names as they stand in the armature: case and a prefix such as ``mixamorig:`` may differ."""
    spelled = {_plain(name): name for name in reversed(skeleton.names)}
    exact = {name: name for name in skeleton.names}

    def found(name: str) -> str:
        return exact.get(name) or spelled.get(_plain(name), "")

    bones = {slot: found(bone) for slot, bone in known.bones.items() if found(bone)}
    return RigMap(
        name=known.name,
        bones=_in_order(bones, skeleton),
        swing_only=frozenset(filter(None, map(found, known.swing_only))),
        rest=tuple(filter(None, map(found, known.rest))),
        switches=tuple(switch for switch in known.switches if switch.bone in skeleton),
    )


def _plain(name: str) -> str:
    return name.split(":")[-1].casefold()


def _in_order(bones: dict[str, str], skeleton: Skeleton) -> dict[str, str]:
    """Without fingers whose bones aren't each below the one before: they are something else of the same name."""
    wrong = set()
    for side, finger in itertools.product(SIDES, FINGERS):
        chain = [bones.get(f"{side}.{finger}.{number}", "") for number in range(1, LONGEST_FINGER + 1)]
        chain = [name for name in chain if name]
        below = [skeleton.is_below(low, high) for high, low in itertools.pairwise(chain)]
        if len(chain) < 2 or not all(below) or not bones.get(f"{side}.{finger}.1"):
            wrong.add(f"{side}.{finger}.")
    return {slot: bone for slot, bone in bones.items() if not slot.startswith(tuple(wrong))}


def _score(candidate: RigMap) -> int:
    """Finger bones found; of equals the first is kept, which is why controls come before what they deform."""
    return sum(len(chain) for side in candidate.sides() for chain in candidate.fingers(side).values())


# --- rigs of no known naming ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Hand:
    """Indices of bones: the hand's, and its chains from base to tip."""

    bone: int
    chains: tuple[tuple[int, ...], ...]


def _from_shape(skeleton: Skeleton) -> RigMap | None:
    bones: dict[str, str] = {}
    for hand in _hands(skeleton):
        labelled = _labelled(hand, skeleton)
        side = _side(hand, labelled, skeleton)
        if f"{side}.hand" not in bones:
            bones |= _slots(hand, labelled, side, skeleton)
    found = RigMap("Found by its shape", bones)
    return found if found.sides() else None


def _hands(skeleton: Skeleton) -> Iterator[_Hand]:
    """Bones from which finger chains fan out, those with most chains first."""
    hands = []
    for bone in range(len(skeleton.names)):
        chains = tuple(filter(None, (_chain(child, skeleton) for child in skeleton.children[bone])))
        if _FEWEST_CHAINS <= len(chains) <= len(FINGERS) and _is_fan(bone, chains, skeleton):
            hands.append(_Hand(bone, chains))
    yield from sorted(hands, key=lambda hand: (-len(hand.chains), -_named(hand, skeleton)))


def _chain(start: int, skeleton: Skeleton) -> tuple[int, ...]:
    """The bones from one without siblings to the end; () where it branches or is no finger's length."""
    chain = [start]
    while skeleton.children[chain[-1]]:
        if len(skeleton.children[chain[-1]]) > 1:
            return ()
        chain.append(skeleton.children[chain[-1]][0])
    return tuple(chain) if 2 <= len(chain) <= _MOST_BONES else ()


def _is_fan(bone: int, chains: tuple[tuple[int, ...], ...], skeleton: Skeleton) -> bool:
    """Do the chains lead away from the bone, and are they about as long as one another?"""
    ends = np.array([skeleton.tails[chain[-1]] for chain in chains])
    lengths = np.linalg.norm(ends - skeleton.heads[[chain[0] for chain in chains]], axis=1)
    out = ends - skeleton.heads[bone]
    forward = out.mean(axis=0)
    is_hand = (out @ forward > 0).all() and lengths.max() < 4 * max(lengths.min(), 1e-9)
    return bool(is_hand)


def _named(hand: _Hand, skeleton: Skeleton) -> int:
    return sum(_finger_word(skeleton.names[chain[0]]) is not None for chain in hand.chains)


def _words(name: str) -> list[str]:
    """A name's words, also where capitals or digits separate them: LeftHandIndex1 -> left, hand, index."""
    return [word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name.split(":")[-1])]


def _finger_word(name: str) -> str | None:
    for word in reversed(_words(name)):
        for finger, known in _FINGER_WORDS.items():
            if word.startswith(known):
                return finger
    return None


def _labelled(hand: _Hand, skeleton: Skeleton) -> dict[str, tuple[int, ...]]:
    """Chains by finger: by their names if those tell all apart, else by position."""
    words = [_finger_word(skeleton.names[chain[0]]) for chain in hand.chains]
    if None not in words and len(set(words)) == len(words):
        return dict(zip(words, hand.chains, strict=True))
    return _by_position(hand, skeleton)


def _by_position(hand: _Hand, skeleton: Skeleton) -> dict[str, tuple[int, ...]]:
    """The thumb is the outer chain whose direction differs most; the others follow in order from it."""
    wrist = skeleton.heads[hand.bone]
    bases = np.array([skeleton.heads[chain[0]] for chain in hand.chains]) - wrist
    directions = np.array([skeleton.tails[chain[-1]] - skeleton.heads[chain[0]] for chain in hand.chains])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    apart = np.array([np.median(directions @ direction) for direction in directions])
    thumb = int(np.argmin(apart + 2.0 * np.linalg.norm(bases, axis=1) / np.linalg.norm(bases, axis=1).max()))
    order = np.argsort(np.linalg.norm(bases - bases[thumb], axis=1))
    fingers = FINGERS if len(order) == 5 else ("thumb", "index", "middle", "pinky")[: len(order)]
    return {finger: hand.chains[chain] for finger, chain in zip(fingers, order, strict=True)}


def _side(hand: _Hand, labelled: dict[str, tuple[int, ...]], skeleton: Skeleton) -> str:
    for name in (skeleton.names[hand.bone], skeleton.names[hand.chains[0][0]]):
        for side, known in _SIDE_WORDS.items():
            if any(word in known for word in _words(name)):
                return side
    return _side_by_shape(hand, labelled, skeleton)


def _side_by_shape(hand: _Hand, labelled: dict[str, tuple[int, ...]], skeleton: Skeleton) -> str:
    """Fingers bend, and the thumb lies, to the palm's side of the plane through wrist, first and last finger."""
    wrist = skeleton.heads[hand.bone]
    others = [chain for finger, chain in labelled.items() if finger != "thumb"]
    if len(others) < 2:
        return "left" if wrist[0] >= 0 else "right"
    palm = np.cross(skeleton.heads[others[0][0]] - wrist, skeleton.heads[others[-1][0]] - wrist)
    bend = sum(
        skeleton.tails[c[-1]] - skeleton.tails[c[0]] - (skeleton.tails[c[0]] - skeleton.heads[c[0]]) for c in others
    )
    if "thumb" in labelled:
        bend = bend + skeleton.tails[labelled["thumb"][-1]] - wrist
    return "right" if palm @ bend > 0 else "left"


def _slots(hand: _Hand, labelled: dict[str, tuple[int, ...]], side: str, skeleton: Skeleton) -> dict[str, str]:
    names = skeleton.names
    bones = {f"{side}.hand": names[hand.bone]}
    thumb_length = len(labelled.get("thumb", ()))
    for finger, chain in labelled.items():
        if _ends_in_tip(chain, thumb_length, names):
            bones[f"{side}.{finger}.tip"], chain = names[chain[-1]], chain[:-1]
        if finger != "thumb" and len(chain) > 3:
            bones[f"{side}.{finger}.metacarpal"], chain = names[chain[0]], chain[1:]
        bones |= {f"{side}.{finger}.{number}": names[bone] for number, bone in enumerate(chain[:LONGEST_FINGER], 1)}
    return bones | _arm(hand.bone, side, skeleton)


def _ends_in_tip(chain: tuple[int, ...], thumb_length: int, names: Sequence[str]) -> bool:
    if any(word in _TIP_WORDS for word in _words(names[chain[-1]])):
        return len(chain) > 2
    return len(chain) >= 4 and thumb_length >= 4


def _arm(bone: int, side: str, skeleton: Skeleton) -> dict[str, str]:
    """The bones above a hand that are called forearm and upper arm."""
    found: dict[str, str] = {}
    above = skeleton.parents[bone]
    while above >= 0:
        name = skeleton.names[above]
        joined = "".join(_words(name))
        for part, known in _ARM_WORDS.items():
            if part not in found and any(word in joined for word in known):
                found[part] = name
                break
        above = skeleton.parents[above]
    if len(found) < 2:
        found = _arm_by_shape(bone, skeleton)
    return {f"{side}.{part}": name for part, name in found.items()}


def _arm_by_shape(bone: int, skeleton: Skeleton) -> dict[str, str]:
    """Two bones in line that end where the next begins, each longer than a hand is wide."""
    forearm = skeleton.parents[bone]
    upper = skeleton.parents[forearm] if forearm >= 0 else -1
    if upper < 0:
        return {}
    joints = skeleton.heads[[upper, forearm, bone]]
    lengths = np.linalg.norm(np.diff(joints, axis=0), axis=1)
    gaps = np.linalg.norm(skeleton.tails[[upper, forearm]] - joints[1:], axis=1)
    width = np.linalg.norm(skeleton.tails[bone] - joints[2])
    if (gaps > 0.05 * lengths).any() or lengths.min() < width or lengths.max() > 2 * lengths.min():
        return {}
    return {"forearm": skeleton.names[forearm], "upper_arm": skeleton.names[upper]}
