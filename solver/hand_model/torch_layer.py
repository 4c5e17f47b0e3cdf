"""The hand model in torch: differentiable, any device and dtype, the same numbers as ``model``.

Import this module only where torch is wanted; nothing else in the package does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layout import FINGER_JOINTS, FINGERS, JOINT_COUNT, KEYPOINT_NODES, PARENTS
from .model import HandModel

_LEVELS = tuple([FINGER_JOINTS[finger][k] for finger in FINGERS] for k in range(3))
_LAST_JOINTS = [FINGER_JOINTS[finger][2] for finger in FINGERS]
_TIP_KEYPOINTS = [4, 8, 12, 16, 20]


class HandLayer(nn.Module):
    """One hand model as a module; its arrays are buffers.

    Args:
        model: as loaded by ``loading``.
        dtype: of all buffers, and expected of the inputs.
    """

    def __init__(self, model: HandModel, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        arrays = {
            "v_template": model.v_template,
            "shapedirs": model.shapedirs,
            "posedirs": model.posedirs.reshape(-1, model.posedirs.shape[-1]).T,
            "weights": model.weights,
            "joints_template": model.joints_template,
            "joints_shapedirs": model.joints_shapedirs,
            "tips_template": model.keypoints_rest_template[_TIP_KEYPOINTS],
            "tips_shapedirs": model.keypoints_rest_shapedirs[_TIP_KEYPOINTS],
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array, dtype=dtype))
        self.register_buffer("faces", torch.tensor(model.faces, dtype=torch.int64))

    def forward(self, betas: Tensor, rotations: Tensor, transl: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vertices (..., V, 3), joints (..., 16, 3) and keypoints (..., 21, 3), metres, as in ``PosedHand``.

        Args:
            betas: (..., 10).
            rotations: (..., 16, 3, 3) local, flat mean included.
            transl: (..., 3).
        """
        batch = torch.broadcast_shapes(betas.shape[:-1], rotations.shape[:-3], transl.shape[:-1])
        rotations = rotations.expand(*batch, JOINT_COUNT, 3, 3)
        transl = transl.expand(*batch, 3)[..., None, :]
        joints_rest = self.joints_template + _affine(self.joints_shapedirs, betas)
        global_rotations, joints = _kinematics(rotations, joints_rest)
        tips_rest = self.tips_template + _affine(self.tips_shapedirs, betas)
        arms = _rotate(global_rotations[..., _LAST_JOINTS, :, :], tips_rest - joints_rest[..., _LAST_JOINTS, :])
        nodes = torch.cat([joints, joints[..., _LAST_JOINTS, :] + arms], dim=-2)
        offsets = joints - _rotate(global_rotations, joints_rest)
        vertices = self._skin(betas, rotations, torch.cat([global_rotations, offsets[..., None]], dim=-1))
        return vertices + transl, joints + transl, nodes[..., list(KEYPOINT_NODES), :] + transl

    def _skin(self, betas: Tensor, rotations: Tensor, transforms: Tensor) -> Tensor:
        features = rotations[..., 1:, :, :] - torch.eye(3, dtype=rotations.dtype, device=rotations.device)
        offsets = (features.flatten(-3) @ self.posedirs).unflatten(-1, (-1, 3))
        rest = self.v_template + _affine(self.shapedirs, betas) + offsets
        blended = (self.weights @ transforms.flatten(-2)).unflatten(-1, (3, 4))
        return _rotate(blended[..., :3], rest) + blended[..., 3]


def exp(rotation_vectors: Tensor) -> Tensor:
    """Rotation vectors (..., 3) -> matrices (..., 3, 3), with finite gradients at zero."""
    x, y, z = rotation_vectors.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    squared = (rotation_vectors**2).sum(-1)
    tiny = squared < 1e-8
    angle = torch.where(tiny, 1.0, squared).sqrt()
    first = torch.where(tiny, 1 - squared / 6, angle.sin() / angle)[..., None, None]
    second = torch.where(tiny, 0.5 - squared / 24, 2 * ((angle / 2).sin() / angle) ** 2)[..., None, None]
    return torch.eye(3, dtype=x.dtype, device=x.device) + first * skew + second * (skew @ skew)


def _kinematics(rotations: Tensor, joints_rest: Tensor) -> tuple[Tensor, Tensor]:
    """Global rotations and joints, level by level; lists instead of in-place writes, which autograd forbids."""
    turned, placed = list(rotations.unbind(-3)), [joints_rest[..., 0, :].expand(*rotations.shape[:-3], 3)] * JOINT_COUNT
    for level in _LEVELS:
        for joint in level:
            parent = PARENTS[joint]
            bone = joints_rest[..., joint, :] - joints_rest[..., parent, :]
            placed[joint] = placed[parent] + _rotate(turned[parent], bone)
            turned[joint] = turned[parent] @ turned[joint]
    return torch.stack(turned, dim=-3), torch.stack(placed, dim=-2)


def _affine(directions: Tensor, betas: Tensor) -> Tensor:
    return (betas @ directions.flatten(0, 1).T).unflatten(-1, (-1, 3))


def _rotate(rotations: Tensor, points: Tensor) -> Tensor:
    return (rotations @ points[..., None])[..., 0]
