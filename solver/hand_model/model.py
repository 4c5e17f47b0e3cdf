"""The hand as staged, immutable values: ``HandModel`` -> ``ShapedHand`` -> ``PosedHand``.

Metres; all frames are the model's own until ``transl`` and ``global_orient`` place the hand. Equations: Romero,
Tzionas, Black, "Embodied Hands" (2017), which follows SMPL: linear blend skinning of a template with blend shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .layout import (
    FINGER_JOINTS,
    FINGERS,
    JOINT_COUNT,
    KEYPOINT_JOINTS,
    KEYPOINT_NODES,
    PARENTS,
    TIP_VERTICES,
    WRIST_FAN,
)
from .rotations import exp

_PARENTS = np.array(PARENTS)
_KEYPOINT_NODES = np.array(KEYPOINT_NODES)
_LAST_JOINTS = np.array([FINGER_JOINTS[finger][2] for finger in FINGERS])
# joints at distance 1, 2, 3 from the wrist: five at a time, so that three steps walk the whole tree
_LEVELS = tuple(np.array([FINGER_JOINTS[finger][k] for finger in FINGERS]) for k in range(3))


@dataclass(frozen=True, eq=False)
class HandModel:
    """A hand in MANO's layout. Arrays are float64 and must not be written to.

    Attributes:
        side: "left" or "right".
        name: "open", or the user's file name.
        sha256: digest of the file's content.
        v_template: (V, 3) mean hand, flat pose.
        shapedirs: (V, 3, 10) metres per unit of beta.
        posedirs: (V, 3, 135) metres per entry of ``R - I`` of the 15 finger joints, row by row.
        J_regressor: (16, V) joints from rest vertices.
        weights: (V, 16) skinning weights.
        faces: (F, 3) int32, outward by the right-hand rule.
        hands_mean: (45,) mean finger pose, rotation vectors.
        hands_components: (45, 45) one pose component per row.
        provenance: where the data came from, one paragraph; "" for a user's file.
    """

    side: str
    name: str
    sha256: str
    v_template: np.ndarray = field(repr=False)
    shapedirs: np.ndarray = field(repr=False)
    posedirs: np.ndarray = field(repr=False)
    J_regressor: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    faces: np.ndarray = field(repr=False)
    hands_mean: np.ndarray = field(repr=False)
    hands_components: np.ndarray = field(repr=False)
    provenance: str = field(default="", repr=False)

    def with_shape(self, betas: np.ndarray) -> ShapedHand:
        """The hand of one person. ``betas`` (10,), or (..., 10): batch axes that broadcast against those of ``pose``.

        Fewer than 10 coefficients stand for the rest being zero.
        """
        betas = np.asarray(betas, float)
        count = betas.shape[-1]
        return ShapedHand(
            model=self,
            betas=betas,
            joints_rest=self.joints_template + _affine(self.joints_shapedirs[..., :count], betas),
            keypoints_rest=self.keypoints_rest_template + _affine(self.keypoints_rest_shapedirs[..., :count], betas),
        )

    @cached_property
    def joints_template(self) -> np.ndarray:
        """(16, 3) joints of the mean hand."""
        return self.J_regressor @ self.v_template

    @cached_property
    def joints_shapedirs(self) -> np.ndarray:
        """(16, 3, 10) derivative of the rest joints by betas."""
        return np.einsum("jv,vck->jck", self.J_regressor, self.shapedirs)

    @cached_property
    def keypoints_rest_template(self) -> np.ndarray:
        """(21, 3) rest keypoints (joints and tip vertices) of the mean hand, OpenPose order."""
        tips = self.v_template[list(TIP_VERTICES)]
        return np.concatenate([self.joints_template, tips])[_KEYPOINT_NODES]

    @cached_property
    def keypoints_rest_shapedirs(self) -> np.ndarray:
        """(21, 3, 10) derivative of the rest keypoints by betas."""
        tips = self.shapedirs[list(TIP_VERTICES)]
        return np.concatenate([self.joints_shapedirs, tips])[_KEYPOINT_NODES]

    @cached_property
    def watertight_faces(self) -> np.ndarray:
        """(F + 14, 3) ``faces`` and the fan that closes the wrist."""
        fan = np.array(WRIST_FAN, self.faces.dtype)
        return np.concatenate([self.faces, fan if self.side == "right" else fan[:, ::-1]])

    @cached_property
    def _posedirs_rows(self) -> np.ndarray:
        return np.ascontiguousarray(self.posedirs.reshape(-1, self.posedirs.shape[-1]).T)

    def hand_pose_from_pca(self, coefficients: np.ndarray, flat_hand_mean: bool = False) -> np.ndarray:
        """Finger rotations (..., 15, 3, 3) from pose coefficients (..., n), n <= 45.

        ``flat_hand_mean`` has smplx's meaning: False (smplx's default) adds ``hands_mean`` before the exponential; True
        measures from the flat hand. Everything else in this package holds full rotations: the mean is in them.
        """
        coefficients = np.asarray(coefficients, float)
        vectors = coefficients @ self.hands_components[: coefficients.shape[-1]]
        vectors = vectors if flat_hand_mean else vectors + self.hands_mean
        return exp(vectors.reshape(*vectors.shape[:-1], JOINT_COUNT - 1, 3))


@dataclass(frozen=True, eq=False)
class ShapedHand:
    """A model with betas applied, at rest.

    Attributes:
        betas: (..., 10) as given.
        joints_rest: (..., 16, 3).
        keypoints_rest: (..., 21, 3) joints and tip vertices in OpenPose order.
    """

    model: HandModel
    betas: np.ndarray
    joints_rest: np.ndarray
    keypoints_rest: np.ndarray

    @cached_property
    def vertices_rest(self) -> np.ndarray:
        """(..., V, 3) before pose blend shapes."""
        return self.model.v_template + _affine(self.model.shapedirs[..., : self.betas.shape[-1]], self.betas)

    def pose(self, rotations: np.ndarray, transl: np.ndarray | None = None) -> PosedHand:
        """Forward kinematics.

        Args:
            rotations: (..., 16, 3, 3) local rotations in MANO order, [0] is ``global_orient``, flat mean included.
            transl: (..., 3) as in smplx: the hand turns about its rest wrist, then moves by ``transl``. The wrist is at
                ``joints_rest[0] + transl``. None: no translation.
        """
        rotations = np.asarray(rotations, float)
        transl = np.zeros(3) if transl is None else np.asarray(transl, float)
        batch = np.broadcast_shapes(self.betas.shape[:-1], rotations.shape[:-3], transl.shape[:-1])
        rotations = np.broadcast_to(rotations, (*batch, JOINT_COUNT, 3, 3))
        transl = np.broadcast_to(transl, (*batch, 3))
        global_rotations = _global_rotations(rotations)
        joints = _joints(self.joints_rest, global_rotations, transl)
        return PosedHand(self, rotations, transl, global_rotations, joints)


@dataclass(frozen=True, eq=False)
class PosedHand:
    """A hand in space.

    Attributes:
        rotations: (..., 16, 3, 3) local, broadcast to the full batch.
        transl: (..., 3), likewise.
        global_rotations: (..., 16, 3, 3) of each joint's frame.
        joints: (..., 16, 3) MANO order.
    """

    shaped: ShapedHand
    rotations: np.ndarray
    transl: np.ndarray
    global_rotations: np.ndarray
    joints: np.ndarray

    @cached_property
    def keypoints(self) -> np.ndarray:
        """(..., 21, 3) OpenPose order, each rigid in its joint's frame (``layout.KEYPOINT_JOINTS``).

        A tip here is the rest tip vertex carried by the last bone. The skinned one, ``vertices()[TIP_VERTICES]``,
        differs by its pose blend shapes and by foreign skinning weights (README.md has the figure).
        """
        tips_rest = self.shaped.keypoints_rest[..., [4, 8, 12, 16, 20], :]
        arms = tips_rest - self.shaped.joints_rest[..., _LAST_JOINTS, :]
        tips = self.joints[..., _LAST_JOINTS, :] + _rotate(self.global_rotations[..., _LAST_JOINTS, :, :], arms)
        return np.concatenate([self.joints, tips], axis=-2)[..., _KEYPOINT_NODES, :]

    def vertices(self) -> np.ndarray:
        """(..., V, 3) skinned vertices, pose blend shapes included."""
        model = self.shaped.model
        features = self.rotations[..., 1:, :, :] - np.eye(3)
        offsets = features.reshape(*features.shape[:-3], -1) @ model._posedirs_rows
        rest = self.shaped.vertices_rest + offsets.reshape(*offsets.shape[:-1], -1, 3)
        blended = self.skinning_transforms()
        return _rotate(blended[..., :3], rest) + blended[..., 3]

    def skinning_transforms(self) -> np.ndarray:
        """(..., V, 3, 4) affine map of each vertex from rest (pose blend shapes applied) to posed."""
        # transl stays out of the blend: stored weights sum to one only within single precision
        offsets = self.joints - self.transl[..., None, :] - _rotate(self.global_rotations, self.shaped.joints_rest)
        transforms = np.concatenate([self.global_rotations, offsets[..., None]], axis=-1)
        blended = self.shaped.model.weights @ transforms.reshape(*transforms.shape[:-3], JOINT_COUNT, 12)
        blended = blended.reshape(*blended.shape[:-1], 3, 4)
        blended[..., 3] += self.transl[..., None, :]
        return blended


def keypoint_ancestors() -> np.ndarray:
    """(21, 16) bool: rotating joint j moves keypoint k (OpenPose order). A joint does not move itself."""
    moves = np.zeros((len(KEYPOINT_JOINTS), JOINT_COUNT), bool)
    for keypoint, (node, joint) in enumerate(zip(KEYPOINT_NODES, KEYPOINT_JOINTS, strict=True)):
        ancestor = joint if node >= JOINT_COUNT else PARENTS[joint]
        while ancestor >= 0:
            moves[keypoint, ancestor] = True
            ancestor = PARENTS[ancestor]
    return moves


def _affine(directions: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """(n, 3, k) times (..., k) -> (..., n, 3)."""
    flat = betas @ directions.reshape(-1, directions.shape[-1]).T
    return flat.reshape(*betas.shape[:-1], -1, 3)


def _rotate(rotations: np.ndarray, points: np.ndarray) -> np.ndarray:
    return (rotations @ points[..., None])[..., 0]


def _global_rotations(rotations: np.ndarray) -> np.ndarray:
    result = rotations.copy()
    for level in _LEVELS:
        result[..., level, :, :] = result[..., _PARENTS[level], :, :] @ rotations[..., level, :, :]
    return result


def _joints(joints_rest: np.ndarray, global_rotations: np.ndarray, transl: np.ndarray) -> np.ndarray:
    joints = np.empty(global_rotations.shape[:-1])
    joints[..., 0, :] = joints_rest[..., 0, :] + transl
    for level in _LEVELS:
        parents = _PARENTS[level]
        bones = joints_rest[..., level, :] - joints_rest[..., parents, :]
        joints[..., level, :] = joints[..., parents, :] + _rotate(global_rotations[..., parents, :, :], bones)
    return joints
