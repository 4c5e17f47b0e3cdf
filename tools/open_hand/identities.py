"""Right hands of many people: MakeHuman's macro and hand targets, carried over to the SOMA-X hand's topology.

MakeHuman describes a body by factors (gender, age, muscle, weight, height, proportions, ancestry). A target file is
named after the factor values that it belongs to; its weight is the product of theirs. SOMA-X vertices are tied to
the nearest point of the MakeHuman surface in the middle identity, and so follow all others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .sources import Files, read_mesh, read_target, read_tensors
from .surface import closest_points, compact

COUNT = 300
_SEED = 0
_DECIMETRE = 0.1
_BINDING_LIMIT = 0.01  # metres; a SOMA-X vertex further than this from MakeHuman's skin is bound to the wrong place

_GRADES = {
    "gender": {"male": 0.0, "female": 1.0},
    # hands of adults and adolescents are wanted: ages below the child are never drawn
    "age": {"child": 1 / 3, "young": 2 / 3, "old": 1.0},
    "muscle": {"minmuscle": 0.0, "averagemuscle": 0.5, "maxmuscle": 1.0},
    "weight": {"minweight": 0.0, "averageweight": 0.5, "maxweight": 1.0},
    "height": {"minheight": 0.0, "maxheight": 1.0},
    "proportions": {"idealproportions": 0.0, "uncommonproportions": 1.0},
    "ancestry": {"african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3},
}
_BODY = ("gender", "age", "muscle", "weight")
# folder and name prefix of each family of target files, and the factors in its names
_FAMILIES = (
    ("universal-", _BODY),
    ("", ("ancestry", "gender", "age")),
    ("height/", (*_BODY, "height")),
    ("proportions/", (*_BODY, "proportions")),
)
_HAND_TARGETS = ("r-hand-fingers-length", "r-hand-scale", "r-hand-fingers-diameter", "measure-wrist-circ")


@dataclass(frozen=True)
class RawHands:
    """Right hands as they hang on the bodies of N people; metres, y up, the body faces +z.

    Attributes:
        vertices: (N, V, 3), hand and forearm.
        faces: (F, 3) outward.
        weights: (V, B) skinning weights for the bones below, rows sum to one.
        joints: (N, B, 3) bone heads.
        bones: names of the B bones: "ForeArm", "" (the wrist), "Thumb1" ... "PinkyEnd".
    """

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    joints: np.ndarray
    bones: tuple[str, ...]


def sample(files: Files) -> RawHands:
    """``COUNT`` hands; number 0 is the middle identity as a young adult."""
    rig, faces = read_tensors(files, "soma/soma_rig.pt"), read_tensors(files, "soma/soma_faces.pt")
    labels = rig["bone_labels"]
    bones = [labels.index("RightForeArm"), *(k for k, label in enumerate(labels) if label.startswith("RightHand"))]
    regressor, weights = rig["sparse_rbf_matrix"][bones], rig["skinning_weights"][:, bones]
    on_hand = weights.sum(axis=1) > 0.5
    needed = np.union1d(np.flatnonzero(on_hand), regressor.indices)
    vertices = _identities(files, needed)
    weights[:, 0] += 1 - weights.sum(axis=1)
    kept, faces = compact(faces[on_hand[faces].all(axis=1)])
    return RawHands(
        vertices=vertices[:, np.searchsorted(needed, kept)],
        faces=faces,
        weights=weights[kept],
        joints=np.stack([regressor[:, needed] @ identity for identity in vertices]),
        bones=tuple(labels[bone].removeprefix("Right").removeprefix("Hand") for bone in bones),
    )


def _identities(files: Files, soma_vertices: np.ndarray) -> np.ndarray:
    """(COUNT, n, 3) the given SOMA-X vertices on every identity."""
    base, _ = read_mesh(files, "mpfb2/3dobjs/base.obj", "body")
    corners, barycentric = bind(files, soma_vertices)
    used, corners = compact(corners)
    return np.einsum("nvkc,vk->nvc", _shapes(files, base, _people(), used)[:, corners], barycentric)


def bind(files: Files, soma_vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What ties the given SOMA-X vertices to MakeHuman's skin: corners (n, 3) of its mesh, barycentric (n, 3).

    Raises:
        ValueError: the two meshes don't lie on each other.
    """
    base, faces = read_mesh(files, "mpfb2/3dobjs/base.obj", "body")
    wrap, _ = read_mesh(files, "soma/SOMA_wrap.obj")
    reference, _ = read_mesh(files, "soma/base_body.obj")  # the middle identity where SOMA-X has it
    middle = _shapes(files, base, _middle(), np.arange(len(base)))[0]
    middle += _centre(reference) - _centre(middle[np.unique(faces)])
    face, barycentric, distance = closest_points(wrap[soma_vertices], middle, faces)
    if distance.max() > _BINDING_LIMIT:
        raise ValueError(f"SOMA-X and MakeHuman meshes are {distance.max():.3f} m apart: unknown package version")
    return faces[face], barycentric


def _centre(vertices: np.ndarray) -> np.ndarray:
    return (vertices.min(axis=0) + vertices.max(axis=0)) / 2


def _middle() -> dict[str, np.ndarray]:
    return {factor: np.array([0.5]) for factor in _GRADES} | {target: np.zeros(1) for target in _HAND_TARGETS}


def _people() -> dict[str, np.ndarray]:
    """Factor values (COUNT,) and hand target values; the first person is average."""
    rng = np.random.default_rng(_SEED)
    people = {"gender": rng.uniform(0, 1, COUNT), "age": rng.uniform(0.62, 0.95, COUNT)}
    for factor in ("muscle", "weight", "height", "proportions"):
        people[factor] = np.clip(rng.normal(0.5, 0.2, COUNT), 0.05, 0.95)
    for target in _HAND_TARGETS:
        people[target] = np.clip(rng.normal(0, 0.4, COUNT), -1, 1)
    for name, values in people.items():
        values[0] = {"age": 2 / 3}.get(name, 0.0 if name in _HAND_TARGETS else 0.5)
    return people


def _shapes(files: Files, base: np.ndarray, people: dict[str, np.ndarray], chosen: np.ndarray) -> np.ndarray:
    """(n, len(chosen), 3) metres: MakeHuman's base mesh with the weighted targets of n people."""
    total = base[chosen] + np.zeros((len(people["age"]), 1, 1))
    for name, weights in _weighted_targets(people):
        if weights.any():
            total += weights[:, None, None] * read_target(files, name, len(base))[chosen]
    return total * _DECIMETRE


def _weighted_targets(people: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    grades = {factor: _grade_weights(factor, people) for factor in _GRADES}
    for prefix, factors in _FAMILIES:
        for combination in itertools.product(*(grades[factor].items() for factor in factors)):
            name = "-".join(grade for grade, _ in combination)
            weight = np.prod([weights for _, weights in combination], axis=0)
            yield f"mpfb2/targets/macrodetails/{prefix}{name}.target.gz", weight
    for target in _HAND_TARGETS:
        yield f"mpfb2/targets/hands/{target}-incr.target.gz", np.maximum(people[target], 0)
        yield f"mpfb2/targets/hands/{target}-decr.target.gz", np.maximum(-people[target], 0)


def _grade_weights(factor: str, people: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Linear interpolation weights (n,) between neighbouring grades; ancestries share equally."""
    grades = _GRADES[factor]
    if factor == "ancestry":
        return {grade: np.full(len(people["age"]), share) for grade, share in grades.items()}
    anchors = list(grades.values())
    return {grade: np.interp(people[factor], anchors, np.eye(len(anchors))[k]) for k, grade in enumerate(grades)}
