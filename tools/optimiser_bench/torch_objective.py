"""The default objective once more, in torch, for optimisers that want autograd. Must equal ``Problem.value``."""

from __future__ import annotations

import numpy as np
import torch

from solver.hand_model.layout import KEYPOINT_JOINTS, PARENTS
from solver.initialise.kinematics import Skeleton
from solver.optimise import costs
from solver.optimise.kernels import GemanMcClure
from solver.optimise.layout import Track
from solver.optimise.problem import Problem
from solver.optimise.state import State

Variables = dict[str, torch.Tensor]


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float64)


def hat(v: torch.Tensor) -> torch.Tensor:
    x, y, z = v.unbind(-1)
    o = torch.zeros_like(x)
    return torch.stack([o, -z, y, z, o, -x, -y, x, o], -1).reshape(*v.shape[:-1], 3, 3)


def exp(v: torch.Tensor) -> torch.Tensor:
    t2 = (v * v).sum(-1)[..., None, None] + 1e-14
    t = torch.sqrt(t2)
    k = hat(v)
    return torch.eye(3, dtype=v.dtype) + torch.sin(t) / t * k + (1 - torch.cos(t)) / t2 * (k @ k)


def log(r: torch.Tensor) -> torch.Tensor:
    """Rotations of less than half a turn."""
    w = 0.5 * torch.stack([r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]], -1)
    sine = torch.sqrt((w * w).sum(-1) + 1e-24)
    cosine = 0.5 * (r.diagonal(dim1=-2, dim2=-1).sum(-1) - 1)
    return w * (torch.atan2(sine, cosine) / sine)[..., None]


class TorchObjective:
    """``value(variables)`` for steps from a start, in the tangent space of ``State.moved``."""

    def __init__(self, problem: Problem, start: State) -> None:
        self.problem, self.layout = problem, problem.layout
        self.start = {
            "orient": tensor(start.hands.global_orient),
            "wrist": tensor(start.hands.wrist),
            "angles": tensor(start.hands.angles),
            "camera": tensor(start.camera_from_world),
            "centre": tensor(start.camera_centre),
            "betas": tensor(start.betas),
            "log_scale": tensor(np.array(start.log_scale)),
            "log_focal": tensor(np.array(start.log_focal)),
        }
        self.frame_of, self.track_of = torch.as_tensor(self.layout.frame_of), torch.as_tensor(self.layout.track_of)
        self.runs = torch.as_tensor(self.layout.runs(3))
        self._static: dict[int, dict[str, torch.Tensor]] = {}

    def zeros(self) -> Variables:
        """A step of nothing; only what is free has an entry."""
        layout, n = self.layout, self.layout.hand_count
        out = {"hands": torch.zeros(n, layout.hand_size)}
        if layout.camera_free:
            out["camera"] = torch.zeros(layout.frame_count, 6)
        sizes = {"betas": layout.shape_free, "log_scale": layout.scale_free, "log_focal": layout.focal_free}
        out |= {name: torch.zeros(self.start[name].shape) for name, free in sizes.items() if free}
        return {name: value.double().requires_grad_() for name, value in out.items()}

    def value(self, step: Variables) -> torch.Tensor:
        x = self._moved(step)
        x["points"] = self._landmarks(x, bare=False)
        x["keypoints"] = self._landmarks(x, bare=True)
        return sum(self._cost(cost, x) for cost in self.problem.costs)

    def _moved(self, step: Variables) -> Variables:
        x = dict(self.start)
        hands = step["hands"]
        x["orient"] = exp(hands[:, :3]) @ x["orient"]
        x["wrist"], x["angles"] = x["wrist"] + hands[:, 3:6], x["angles"] + hands[:, 6:]
        if "camera" in step:
            x["camera"] = exp(step["camera"][:, :3]) @ x["camera"]
            x["centre"] = x["centre"] + step["camera"][:, 3:]
        for name in ("betas", "log_scale", "log_focal"):
            if name in step:
                x[name] = x[name] + step[name]
        return x

    def _landmarks(self, x: Variables, bare: bool) -> torch.Tensor:
        return torch.cat(
            [self._track(track, track.bare if bare else track.skeleton, x) for track in self.layout.tracks]
        )

    def _track(self, track: Track, skeleton: Skeleton, x: Variables) -> torch.Tensor:
        joints, landmarks, cross, squares = self._constants(skeleton)
        weights = torch.cat([torch.ones(1, dtype=torch.float64), x["betas"][track.shape]])
        joints, landmarks = joints @ weights, landmarks @ weights
        angles = x["angles"][track.hands]
        sine, versine = torch.sin(angles)[..., None, None], (1 - torch.cos(angles))[..., None, None]
        single = torch.eye(3, dtype=torch.float64) + sine * cross + versine * squares
        frames, origins = [x["orient"][track.hands]], [x["wrist"][track.hands]]
        for joint in range(1, 16):
            parent = PARENTS[joint]
            origins.append(origins[parent] + frames[parent] @ (joints[joint] - joints[parent]))
            turned = frames[parent]
            for hinge in np.flatnonzero(skeleton.hinges.joint == joint):
                turned = turned @ single[:, hinge]
            frames.append(turned)
        carriers = list(KEYPOINT_JOINTS)
        arms = landmarks - joints[carriers]
        stacked, placed = torch.stack(frames, 1)[:, carriers], torch.stack(origins, 1)[:, carriers]
        return placed + (stacked @ arms[:, :, None])[..., 0]

    def _constants(self, skeleton: Skeleton) -> tuple[torch.Tensor, ...]:
        key = id(skeleton)
        if key not in self._static:
            cross = hat(tensor(skeleton.hinges.axis))
            self._static[key] = (tensor(skeleton.joints), tensor(skeleton.landmarks), cross, cross @ cross)
        return self._static[key]

    def _arrays(self, cost: costs.Cost) -> dict[str, torch.Tensor]:
        """The cost's arrays as tensors, made once."""
        key = id(cost)
        if key not in self._static:
            found = {name: value for name, value in vars(cost).items() if isinstance(value, np.ndarray)}
            self._static[key] = {name: tensor(value) for name, value in found.items()}
        return self._static[key]

    def _cost(self, cost: costs.Cost, x: Variables) -> torch.Tensor:
        rows = self._residuals(cost, x)
        if isinstance(cost, costs.FingerDynamicsCost | costs.WristRotationCost):
            rows = rows / self._looseness(cost)
        squares = (rows * rows).sum(-1)
        if isinstance(cost.kernel, GemanMcClure):
            c2 = cost.kernel.scale**2
            squares = c2 * squares / (c2 + squares)
        return 0.5 * squares.sum()

    def _looseness(self, cost: costs.Cost) -> torch.Tensor | float:
        return 1.0 if cost.looseness is None else self._arrays(cost)["looseness"][self.runs + 1][:, None]

    def _residuals(self, cost: costs.Cost, x: Variables) -> torch.Tensor:
        given = self._arrays(cost)
        match cost:
            case costs.KeypointCost():
                return self._keypoints(given, x)
            case costs.DepthHintCost():
                depth = (x["points"] * given["ray"][:, None]).sum(-1)
                known = (given["information"] > 0).double()
                share = known / known.sum(1, keepdim=True).clamp(min=1)
                centred = depth - (share * depth).sum(1, keepdim=True)
                return (centred * given["information"] - given["depth"])[..., None]
            case costs.FingerDynamicsCost():
                moved = self._innovation(x["angles"], tensor(cost.memory(self.runs)))
                root = tensor(cost.root(self.runs))
                return moved * root if root.ndim == 1 else (root @ moved[..., None])[..., 0]
            case costs.WristPositionCost():
                travel = (torch.exp(x["log_scale"]) - np.exp(cost.log_scale)) * given["centre"][self.frame_of]
                size = torch.stack([self._size(track, x) for track in self.layout.tracks])[self.track_of[self.runs]]
                moving = cost.moving(self.runs)
                memory = tensor(moving.memory)
                moved = self._innovation(x["wrist"] - travel, memory)
                own = size[:, None] * tensor(moving.deviation) * self._looseness(cost)
                carried = self._innovation(given["centre"][self.frame_of], memory)
                length = torch.linalg.norm(carried, dim=-1, keepdim=True)
                both = torch.hypot(own, cost.scale_deviation * np.exp(cost.log_scale) * length)
                along = carried / length.clamp(min=1e-300)
                return moved / own + along * (along * moved).sum(-1, keepdim=True) * (1 / both - 1 / own)
            case costs.WristRotationCost():
                r, i = x["orient"], self.runs
                before, after = (log(r[i + k].transpose(-1, -2) @ r[i + k + 1]) for k in (0, 1))
                moving = cost.moving(self.runs)
                return (after - tensor(moving.memory) * before) / tensor(moving.deviation)
            case costs.JointLimitCost():
                a = x["angles"]
                beyond = (a - given["high"]).clamp(min=0) - (given["low"] - a).clamp(min=0)
                return beyond[..., None] / cost.deviation
            case costs.PoseDistributionCost():
                return ((x["angles"] - given["mean"]) / given["deviation"])[..., None]
            case costs.PoseCovarianceCost():
                return (tensor(cost.roots) @ (x["angles"] - given["mean"])[..., None])[..., 0]
            case costs.CameraCost():
                turn = log(x["camera"] @ given["camera_from_world"].transpose(-1, -2))
                growth = torch.exp(x["log_scale"] - cost.log_scale)
                e = torch.cat([turn, growth * (x["centre"] - given["centre"])], -1)
                steps = (given["step_information"] @ torch.diff(e, dim=0)[..., None])[..., 0]
                return torch.cat([(given["information"] @ e[..., None])[..., 0], steps])
            case costs.ShapeCost():
                return ((x["betas"][cost.shape] - given["mean"]) / cost.deviation)[:, None]
            case costs.ShapeLimitCost():
                betas = x["betas"][cost.shape]
                return ((betas - torch.clamp(betas, -given["limit"], given["limit"])) / cost.deviation)[:, None]
            case costs.HandSizeCost():
                size = self._size(self.layout.tracks[cost.track], x)
                return ((torch.log(size) - cost.log_size) / cost.deviation).reshape(1, 1)
            case costs.ScaleCost():
                return ((x["log_scale"] - cost.log_scale) / cost.deviation).reshape(1, 1)
            case costs.FocalCost():
                return (x["log_focal"] / cost.deviation).reshape(1, 1)
        raise NotImplementedError(cost.name)

    def _keypoints(self, given: dict[str, torch.Tensor], x: Variables) -> torch.Tensor:
        centre = torch.exp(x["log_scale"]) * x["centre"][self.frame_of, None]
        p = (x["points"] - centre) @ x["camera"][self.frame_of].transpose(-1, -2)
        view = self.problem.view
        focal = torch.exp(x["log_focal"]) * tensor(view.focal_px)
        image = focal * p[..., :2] / p[..., 2:].clamp(min=0.03) + tensor(view.centre_px)
        return (given["whitening"] @ (image - given["targets_px"])[..., None])[..., 0]

    def _innovation(self, path: torch.Tensor, rho: torch.Tensor) -> torch.Tensor:
        i = self.runs
        return path[i + 2] - (1 + rho) * path[i + 1] + rho * path[i]

    def _size(self, track: Track, x: Variables) -> torch.Tensor:
        length = tensor(track.skeleton.length)
        return length[0] * torch.exp((length[1:] / length[0]) @ x["betas"][track.shape])
