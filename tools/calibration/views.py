"""Sampled views of the open hand: who, in what pose, seen from where. All numbers that the renderer and the fit need.

Identities and poses are drawn here from wide ranges on purpose, and not from any clip's motion: the offsets must hold
for hands in general. The camera's frame is the solver's (x right, y down, z forward).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solver.hand_model import HandModel, rotations
from solver.hand_model.layout import WRIST_LOOP
from solver.initialise.anatomy import Hinges
from solver.initialise.kinematics import Pose, joint_rotations, skeleton_of

from .things import Thing, held, in_the_way

SIZE_PX = 320
_RINGS, _FOREARM_M = 9, 0.24
_DEPTHS_M, _FOCALS_PX = (0.3, 0.75), (380.0, 900.0)
_OTHER = {"left": "right", "right": "left"}
_THINGS = 2  # one that is held, one in the way
# How often pictures with things have each.
_HOLDS, _COVERED, _BESIDE, _SLEEVED = 0.8, 0.3, 0.3, 0.6


@dataclass(frozen=True)
class View:
    """One picture's truth.

    Attributes:
        side, identity: who. betas: (10,).
        rotations: (16, 3, 3), transl: (3,): the pose in the camera's frame.
        intrinsics: (4,) px. vertices: (V + forearm, 3) camera frame.
        keypoints: (21, 3), frames: (16, 3, 3) of the joints, camera frame.
        things: (2, 16) ``Thing.row`` of what is held and what is in the way, camera frame; NaN where there is nothing.
        other: (V + forearm, 3) vertices of a hand of the other side beside it, camera frame; NaN where there is none.
        sleeve: ring of the forearm at which clothes begin.
        seed: of everything that only colours the picture.
    """

    side: str
    identity: int
    betas: np.ndarray
    rotations: np.ndarray
    transl: np.ndarray
    intrinsics: np.ndarray
    vertices: np.ndarray
    keypoints: np.ndarray
    frames: np.ndarray
    things: np.ndarray
    other: np.ndarray
    sleeve: int
    seed: int


def sample_views(
    models: dict[str, HandModel], count: int, identities: int, seed: int, with_things: bool = False
) -> list[View]:
    """``count`` views, sides in turn, people in turn; ``with_things``: hands that hold something or are half hidden."""
    rng = np.random.default_rng(seed)
    people = rng.normal(0, 1, (identities, 10))
    people[0] = 0
    return [
        _view(models, ("right", "left")[i % 2], i // 2 % identities, people, rng, i, with_things) for i in range(count)
    ]


def _view(
    models: dict[str, HandModel],
    side: str,
    identity: int,
    people: np.ndarray,
    rng: np.random.Generator,
    seed: int,
    with_things: bool,
) -> View:
    model = models[side]
    skeleton = skeleton_of(model, np.zeros((21, 3)))
    angles = sample_angles(skeleton.hinges, rng)
    thing = None
    if with_things and rng.random() < _HOLDS:
        thing, angles = held(skeleton, people[identity], angles, rng)
    pose = Pose(_orientation(rng)[None], angles[None], np.zeros((1, 3)))
    shaped = model.with_shape(people[identity])
    local = joint_rotations(skeleton, pose)[0]
    intrinsics = np.array([f := rng.uniform(*_FOCALS_PX), f, SIZE_PX / 2, SIZE_PX / 2])
    transl = _framing(shaped.pose(local).keypoints, intrinsics, rng)
    posed = shaped.pose(local, transl)
    forearm = _forearm(shaped.vertices_rest, shaped.joints_rest[0], model.side, rng)
    forearm = (forearm - shaped.joints_rest[0]) @ local[0].T + posed.joints[0]
    things = [] if thing is None else [thing.moved(local[0], posed.joints[0])]
    vertices, other, sleeve = np.concatenate([posed.vertices(), forearm]), None, _RINGS
    if with_things:
        things += [in_the_way(posed.keypoints, rng)] if rng.random() < _COVERED else []
        other = _beside(models, _OTHER[side], vertices, identity, people, rng) if rng.random() < _BESIDE else None
        sleeve = int(rng.integers(_RINGS)) if rng.random() < _SLEEVED else _RINGS
    return View(
        side=model.side,
        identity=identity,
        betas=people[identity],
        rotations=local,
        transl=transl,
        intrinsics=intrinsics,
        vertices=vertices,
        keypoints=posed.keypoints,
        frames=posed.global_rotations,
        things=_rows(things),
        other=np.full_like(vertices, np.nan) if other is None else other,
        sleeve=sleeve,
        seed=seed,
    )


def _rows(things: list[Thing]) -> np.ndarray:
    rows = np.full((_THINGS, 16), np.nan)
    for row, thing in zip(rows, things, strict=False):
        row[:] = thing.row()
    return rows


def _beside(
    models: dict[str, HandModel],
    side: str,
    hand: np.ndarray,
    identity: int,
    people: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(V + forearm, 3) the same person's other hand, beside ``hand`` (same shape) or partly behind or before it."""
    view = _view(models, side, identity, people, rng, 0, False)
    count = len(models[side].v_template)
    own, middle = view.vertices - view.vertices[:count].mean(0), hand[:count].mean(0)
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.14)
    return own + middle + [away * np.cos(angle), away * np.sin(angle), rng.normal(0, 0.05)]


def sample_angles(hinges: Hinges, rng: np.random.Generator) -> np.ndarray:
    """(hinges,) rad: fingers curl together to some degree and each on its own to some, well inside the limits."""
    together, own = rng.beta(0.9, 1.2), rng.beta(1.0, 1.4, 16)
    curl = np.clip(0.6 * together + 0.4 * own[hinges.joint] + rng.normal(0, 0.08, len(hinges)), 0, 1)
    low, high = 0.6 * hinges.low, 0.85 * hinges.high
    is_flexion = np.isin(np.arange(len(hinges)), hinges.flexion)
    flexed = low + curl * (high - low)
    free = hinges.mean + 0.8 * hinges.sigma * rng.standard_normal(len(hinges)) * (1 - 0.5 * together)
    return np.clip(np.where(is_flexion, flexed, free), hinges.low, hinges.high)


def _orientation(rng: np.random.Generator) -> np.ndarray:
    """Uniform over rotations, except that the forearm does not point at the lens."""
    while True:
        orientation = rotations.matrix_from_quaternion(rng.standard_normal(4))
        if abs(orientation[2, 0]) < 0.8:
            return orientation


def _framing(keypoints: np.ndarray, intrinsics: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A translation that brings the hand to a likely distance, whole and near the middle of the picture."""
    extent = np.ptp(keypoints[:, :2], axis=0).max()
    wanted_px = rng.uniform(0.42, 0.62) * SIZE_PX
    depth = np.clip(intrinsics[0] * extent / wanted_px, *_DEPTHS_M)
    centre = (keypoints.min(0) + keypoints.max(0)) / 2
    shift = rng.uniform(-0.06, 0.06, 2) * SIZE_PX * depth / intrinsics[0]
    return np.array([*shift, depth]) - centre


def _forearm(vertices: np.ndarray, wrist: np.ndarray, side: str, rng: np.random.Generator) -> np.ndarray:
    """(rings * 16, 3) a tapered tube that goes on from the mesh's open rim, bent at the wrist, in the rest frame."""
    loop = vertices[list(WRIST_LOOP)]
    away = np.array([1.0 if side == "right" else -1.0, 0, 0])
    bend = np.radians([rng.uniform(-10, 10), rng.uniform(-15, 15), rng.uniform(-45, 45)])
    centre = loop.mean(0)
    rings = []
    for step in np.linspace(0, 1, _RINGS + 1)[1:]:
        radius = np.linalg.norm((loop - centre)[:, 1:], axis=1).mean()
        spread = loop - centre
        circle = spread / np.linalg.norm(spread, axis=1, keepdims=True) * radius
        ring = spread + min(step * 1.5, 0.6) * (circle - spread)
        ring = centre + ring * (1 + 0.45 * step) + away * step * _FOREARM_M
        rings.append((ring - wrist) @ rotations.exp(bend * min(1.0, 0.4 + 1.2 * step)).T + wrist)
    return np.concatenate(rings)


def forearm_faces(vertex_count: int, side: str) -> np.ndarray:
    """(F, 4) quads of the tube, wound like the hand's faces."""
    rows = [np.array(WRIST_LOOP)] + [vertex_count + 16 * k + np.arange(16) for k in range(_RINGS)]
    quads = []
    for here, there in zip(rows, rows[1:], strict=False):
        quads += [[here[k], here[(k + 1) % 16], there[(k + 1) % 16], there[k]] for k in range(16)]
    quads = np.array(quads)
    return quads if side == "right" else quads[:, ::-1]


def nails(model: HandModel) -> np.ndarray:
    """(V,) 0..1 where the nails are: the back of each fingertip."""
    skeleton = skeleton_of(model, np.zeros((21, 3)))
    joints, tips = skeleton.joints[..., 0], model.keypoints_rest_template[[4, 8, 12, 16, 20]]
    amount = np.zeros(len(model.v_template))
    flexion = {int(skeleton.hinges.joint[i]): skeleton.hinges.axis[i] for i in skeleton.hinges.flexion}
    for joint, tip in zip((15, 3, 6, 12, 9), tips, strict=True):
        bone = (tip - joints[joint]) / np.linalg.norm(tip - joints[joint])
        back = np.cross(bone, flexion[joint])
        away = model.v_template - (tip - 0.008 * bone)
        away = away - back * 0.005
        amount = np.maximum(amount, np.exp(-0.5 * (away**2).sum(1) / 0.005**2) * ((away @ back) > -0.003))
    return np.clip(amount * 1.5, 0, 1)


def save_views(folder: Path, views: list[View], models: dict[str, HandModel]) -> None:
    """``views.npz`` (arrays stacked over views) for renderer and fit."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.stack([getattr(view, name) for view in views]) for name in View.__dataclass_fields__}
    count = len(models["right"].v_template)
    meshes = {}
    for side, model in models.items():
        meshes[f"triangles_{side}"], meshes[f"quads_{side}"] = model.faces, forearm_faces(count, side)
        meshes[f"nails_{side}"] = nails(model)
        meshes[f"rest_{side}"] = model.v_template
    np.savez_compressed(folder / "views.npz", **arrays, **meshes)


def load_views(folder: Path) -> list[View]:
    with np.load(folder / "views.npz") as data:
        columns = {name: data[name] for name in View.__dataclass_fields__}
    count = len(columns["seed"])
    return [View(**{n: (v[i] if v.ndim > 1 else v[i].item()) for n, v in columns.items()}) for i in range(count)]
