"""The whole retargeting of one hand, as arrays: a solved hand's motion and a measured rig in, poses of bones out.

NumPy only. ``rig.py`` measures and ``bake.py`` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from . import anatomy, arm, polish, transfer
from .source import HandMotion
from .target import HandTarget

FINGER_MODES = ("ANGLES", "TIPS", "PINCH")
WRIST_MODES = ("IK", "ARM", "FREE", "TURN")
_SPREADING = {"thumb": 2}


@dataclass(frozen=True)
class Twist:
    """A bone of the forearm that takes a share of the hand's roll.

    Attributes:
        name: of the bone.
        place: from 0 at the elbow to 1 at the wrist.
        carrier: the forearm, or the twist bone that carries it.
    """

    name: str
    place: float
    carrier: str


@dataclass(frozen=True, eq=False)
class ArmBones:
    """The bones above a hand that the retargeting poses or rolls.

    Attributes:
        upper_arm, forearm: names.
        twists: carriers before what they carry.
        hand_carrier: the forearm, or the twist bone that carries the hand.
        down: (3,) the world's down in the armature's space.
    """

    upper_arm: str
    forearm: str
    twists: tuple[Twist, ...]
    hand_carrier: str
    down: np.ndarray


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the rig is, over T frames or constant (leading 1).

    Attributes:
        world: (T or 1, 4, 4) of the armature object.
        unposed: (T or 1, 4, 4) of the first bone that is posed (hand, or upper arm) at zero, armature's space.
        location_axes: (T or 1, 3, 3) in which that bone's location counts, armature's space.
        offset: (3,) world: added to the solved wrist.
    """

    world: np.ndarray
    unposed: np.ndarray
    location_axes: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True, eq=False)
class Job:
    """One hand to be retargeted: the rig's side and the choices."""

    target: HandTarget
    placed: Placed
    wrist: str
    fingers: str
    arm: ArmBones | None = None


@dataclass(frozen=True, eq=False)
class Pose:
    """Of one bone over T frames: ``matrix_basis`` in parts; location None where it isn't posed."""

    rotations: np.ndarray
    location: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Poses:
    """Attributes:
    frames: (T,).
    bones: by name.
    wanted: (T, 3, 3) axes of finger bones and hand as they should come out, armature's space, for the check.
    missed: (T,) metres by which the arm was too short.
    """

    frames: np.ndarray
    bones: dict[str, Pose]
    wanted: dict[str, np.ndarray]
    missed: np.ndarray = field(default_factory=lambda: np.zeros(0))


def poses(job: Job, motion: HandMotion) -> Poses:
    """Retarget one hand."""
    target, placed = job.target, job.placed
    count = len(motion.frames)
    world = np.broadcast_to(placed.world, (count, 4, 4))
    scale = np.cbrt(np.linalg.det(world[:1, :3, :3]))[0]
    turn = np.swapaxes(world[:, :3, :3], 1, 2) / scale
    zero = anatomy.zero(motion.shape.only(tuple(target.fingers)))
    palm = turn @ motion.palm(zero)
    fingers = {name: turn[:, None] @ motion.finger(zero, name) for name in target.fingers}
    fingers = {name: transfer.resampled(fingers[name], len(bones)) for name, bones in target.fingers.items()}
    if job.fingers != "ANGLES":
        fingers = _polished(job, motion, palm, fingers, turn)
    for name in fingers.keys() - {"thumb"}:
        fingers[name] = transfer.untwisted(target, name, palm, fingers[name])
    wrist = (turn / scale @ (motion.joints[:, 0] + placed.offset - world[:, :3, 3])[..., None])[..., 0]
    hand = palm @ target.zero.palm.T @ target.measured.matrices[target.hand][:3, :3]
    bones, missed = _wrist(job, hand, wrist)
    wanted = {target.hand: hand}
    for name in target.fingers:
        posed = transfer.finger_poses(target, name, fingers[name], hand)
        bones |= {bone: Pose(rotations) for bone, rotations in posed.items()}
        wanted |= _wanted(target, name, posed, hand)
    return Poses(motion.frames, bones, wanted, missed * scale)


def _wanted(
    target: HandTarget, finger: str, posed: Mapping[str, np.ndarray], hand: np.ndarray
) -> dict[str, np.ndarray]:
    """Axes of a finger's bones as the rig should show them."""
    out, carrier, axes = {}, target.hand, hand
    for bone in target.fingers[finger]:
        axes = axes @ target.measured.between(carrier, bone)[:3, :3] @ posed[bone]
        out[bone], carrier = axes, bone
    return out


# --- the wrist --------------------------------------------------------------------------------------------------------


def _wrist(job: Job, hand: np.ndarray, wrist: np.ndarray) -> tuple[dict[str, Pose], np.ndarray]:
    """Poses of the hand's bone and of the arm; (T, 3, 3) axes and (T, 3) place in the armature's space."""
    if job.wrist == "ARM":
        return _with_arm(job, hand, wrist)
    unposed = np.broadcast_to(job.placed.unposed, (len(hand), 4, 4))
    back = np.swapaxes(unposed[:, :3, :3], 1, 2)
    into = np.swapaxes(np.broadcast_to(job.placed.location_axes, back.shape), 1, 2)
    location = (into @ (wrist - unposed[:, :3, 3])[..., None])[..., 0] if job.wrist in ("IK", "FREE") else None
    if job.wrist != "TURN" or job.arm is None or not job.arm.twists:
        return {job.target.hand: Pose(back @ hand, location)}, np.zeros(len(hand))
    forearm = unposed[:, :3, :3] @ job.target.measured.between(job.target.hand, job.arm.forearm)[:3, :3]
    return _from_forearm(job, forearm, hand), np.zeros(len(hand))


def _turn(job: Job, bone: str, axes: np.ndarray) -> np.ndarray:
    """(T, 3, 3) turn of a bone against its measured pose."""
    return axes @ job.target.measured.matrices[bone][:3, :3].T


def _with_arm(job: Job, hand: np.ndarray, wrist: np.ndarray) -> tuple[dict[str, Pose], np.ndarray]:
    bones, measured = job.arm, job.target.measured
    at = {name: measured.matrices[name] for name in (bones.upper_arm, bones.forearm, job.target.hand)}
    limb = arm.Arm(at[bones.upper_arm][:3, 3], at[bones.forearm][:3, 3], at[job.target.hand][:3, 3], bones.down)
    unposed = np.broadcast_to(job.placed.unposed, (len(hand), 4, 4))
    # the shoulder's own motion: the arm is solved in the space in which the shoulder was measured
    carried = unposed[:, :3, :3] @ at[bones.upper_arm][:3, :3].T
    into = np.swapaxes(carried, 1, 2)
    goal = (into @ (wrist - unposed[:, :3, 3])[..., None])[..., 0] + limb.shoulder
    reach = arm.reach(limb, np.broadcast_to(limb.shoulder, goal.shape), goal)
    axis = limb.wrist - limb.elbow
    hand_turn = _turn(job, job.target.hand, into @ hand)
    roll = arm.roll_of(hand_turn, reach.forearm, axis)
    own_share, _ = arm.shares([twist.place for twist in bones.twists])
    forearm_turn = arm.rolled(reach.forearm, axis, own_share * roll)
    upper = reach.upper_arm @ at[bones.upper_arm][:3, :3]
    forearm = forearm_turn @ at[bones.forearm][:3, :3]
    posed = {
        bones.upper_arm: Pose(at[bones.upper_arm][:3, :3].T @ upper),
        bones.forearm: Pose(_basis(job, bones.upper_arm, upper, bones.forearm, forearm)),
    }
    return posed | _from_forearm(job, forearm, into @ hand), reach.missed


def _basis(job: Job, carrier: str, carrier_axes: np.ndarray, bone: str, axes: np.ndarray) -> np.ndarray:
    unposed = carrier_axes @ job.target.measured.between(carrier, bone)[:3, :3]
    return np.swapaxes(unposed, -1, -2) @ axes


def _from_forearm(job: Job, forearm: np.ndarray, hand: np.ndarray) -> dict[str, Pose]:
    """The hand and the twist bones, which take their shares of its roll, on a forearm with these axes (T, 3, 3)."""
    bones, measured = job.arm, job.target.measured
    axis = measured.matrices[job.target.hand][:3, 3] - measured.matrices[bones.forearm][:3, 3]
    forearm_turn = _turn(job, bones.forearm, forearm)
    roll = arm.roll_of(_turn(job, job.target.hand, hand), forearm_turn, axis)
    _, parts = arm.shares([twist.place for twist in bones.twists])
    axes, posed = {bones.forearm: forearm}, {}
    for twist, part in zip(bones.twists, parts, strict=True):
        rolled = arm.rolled(forearm_turn, axis, part * roll)
        axes[twist.name] = rolled @ measured.matrices[twist.name][:3, :3]
        posed[twist.name] = Pose(_basis(job, twist.carrier, axes[twist.carrier], twist.name, axes[twist.name]))
    posed[job.target.hand] = Pose(_basis(job, bones.hand_carrier, axes[bones.hand_carrier], job.target.hand, hand))
    return posed


# --- fingertips -------------------------------------------------------------------------------------------------------


def _polished(
    job: Job, motion: HandMotion, palm: np.ndarray, fingers: dict[str, np.ndarray], turn: np.ndarray
) -> dict[str, np.ndarray]:
    """Frames of the fingers with which their tips do what the solved tips do, in hand sizes."""
    target = job.target
    own_size = motion.shape.only(tuple(target.fingers)).size()
    ratio = target.shape.size() / own_size
    into = np.swapaxes(palm, 1, 2)
    tips = {
        name: (into @ turn @ (motion.tip(name) - motion.joints[:, 0])[..., None])[..., 0] * ratio
        for name in target.fingers
    }
    chains = {name: _chain(target, name) for name in target.fingers}
    local = {name: into[:, None] @ frames for name, frames in fingers.items()}
    if job.fingers == "TIPS":
        local = polish.to_tips(chains, local, tips)
    moved = _pinched(chains, local, tips, own_size * ratio)
    return {name: palm[:, None] @ frames for name, frames in moved.items()}


def _pinched(
    chains: dict[str, polish.Chain], local: dict[str, np.ndarray], tips: dict[str, np.ndarray], size: float
) -> dict[str, np.ndarray]:
    if "thumb" not in chains or len(chains) < 2:
        return local
    ways = {name: tips[name] - tips["thumb"] for name in chains if name != "thumb"}
    weights = {name: polish.eased(polish.pinch_weight(np.linalg.norm(way, axis=1), size)) for name, way in ways.items()}
    return polish.pinches(chains, local, ways, weights)


def _chain(target: HandTarget, finger: str) -> polish.Chain:
    joints = target.shape.fingers[finger].joints
    frames = target.zero.fingers[finger]
    base = target.zero.palm.T @ (joints[0] - target.shape.wrist)
    ways = np.einsum("nji,nj->ni", frames, np.diff(joints, axis=0))
    return polish.Chain(base, ways, _SPREADING.get(finger, 1))
