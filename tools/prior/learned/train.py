"""Training of the network that ``solver.prior.learned`` runs. Needs torch; one thread of a CPU is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from solver.prior.learned.features import FEATURES, PREDICTED, encode

from ..recordings import Recording
from .windows import Windows, Wrists, standard

DILATIONS = (1, 2, 4, 8, 16, 32, 2, 8)
# a prediction is never surer than this, standardised
LEAST_SIGMA = 0.03


@dataclass(frozen=True)
class Effort:
    """How large and how long. ``cpu_s``: the training stops there, wherever its schedule is."""

    channels: int = 80
    steps: int = 6000
    batch: int = 24
    rate: float = 2e-3
    cpu_s: float = 420.0
    procedural: int = 1500
    recorded_share: float = 0.45
    report_every: int = 200


class Network(nn.Module):
    """Residual blocks of dilated three-frame convolutions over layer-normalised channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = nn.Linear(3 * FEATURES, channels)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in DILATIONS)
        self.mix = nn.ModuleList(nn.Linear(3 * channels, channels) for _ in DILATIONS)
        self.leave_block = nn.ModuleList(nn.Linear(channels, channels) for _ in DILATIONS)
        self.last_norm = nn.LayerNorm(channels)
        self.leave = nn.Linear(channels, 2 * len(PREDICTED))
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, coded: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(b, T, 3 F) to what is added to the filled values, and the deviation, both (b, T, P)."""
        x = self.enter(coded)
        for norm, mix, leave, dilation in zip(self.norms, self.mix, self.leave_block, DILATIONS, strict=True):
            y = norm(x)
            x = x + leave(nn.functional.silu(mix(torch.cat([_shifted(y, -dilation), y, _shifted(y, dilation)], -1))))
        added, spread = self.leave(self.last_norm(x)).chunk(2, -1)
        return added, LEAST_SIGMA + nn.functional.softplus(spread)


def _shifted(x: torch.Tensor, by: int) -> torch.Tensor:
    """``x`` at the frame ``by`` later, zeros beyond the ends."""
    pad = nn.functional.pad(x, (0, 0, max(-by, 0), max(by, 0)))
    start = max(by, 0)
    return pad[:, start : start + x.shape[1]]


def train(
    recordings: Sequence[Recording],
    effort: Effort,
    seed: int,
    say: Callable[[str], None],
    placed: Wrists | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of a prior's file (``solver.prior.learned.file``), its deviations not calibrated."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    windows = Windows(recordings, seed, effort.procedural, effort.recorded_share, placed)
    network = Network(effort.channels)
    optimiser = torch.optim.AdamW(network.parameters(), effort.rate, weight_decay=0.02)
    began, smooth = time.process_time(), None
    for step in range(effort.steps):
        spent = (time.process_time() - began) / effort.cpu_s
        progress = max(step / effort.steps, spent)
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = effort.rate * min(step / 100, 0.5 + 0.5 * float(np.cos(np.pi * progress)), 1.0)
        loss = _loss(network, *windows.batch(effort.batch))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % effort.report_every == 0:
            say(f"step {step}, loss {smooth:.3f}, {time.process_time() - began:.0f} CPU s")
    return arrays(network)


def _loss(
    network: Network, truth: np.ndarray, given: np.ndarray, known: np.ndarray, exists: np.ndarray
) -> torch.Tensor:
    """Negative log-likelihood of what is hidden; a little of it of what is seen, which is seen with errors."""
    mean, deviation = standard()
    coded, filled = encode((given - mean) / deviation, known)
    target = ((truth - mean) / deviation)[..., PREDICTED]
    weight = (exists & ~known)[..., PREDICTED] + 0.1 * known[..., PREDICTED]
    weight[..., [2, 7, 12, 17, 22, 23]] = 0.0
    as_tensor = lambda x: torch.as_tensor(x, dtype=torch.float32)  # noqa: E731
    added, sigma = network(as_tensor(coded))
    error = (as_tensor(target - filled[..., PREDICTED]) - added) / sigma
    loss, weight = 0.5 * error**2 + torch.log(sigma), as_tensor(weight)
    return (weight * loss).sum() / weight.sum().clamp(min=1)


def arrays(network: Network) -> dict[str, np.ndarray]:
    """Weights by the names of the file's format; matrices (in, out)."""
    state = {name: value.detach().numpy().astype(np.float32) for name, value in network.state_dict().items()}
    stacked = lambda name, part: np.stack([state[f"{name}.{i}.{part}"] for i in range(len(DILATIONS))])  # noqa: E731
    mean, deviation = standard()
    return {
        "dilations": np.array(DILATIONS, np.int32),
        "calibration": np.ones(len(PREDICTED), np.float32),
        "mean": mean.astype(np.float32),
        "deviation": deviation.astype(np.float32),
        "enter_weight": state["enter.weight"].T,
        "enter_bias": state["enter.bias"],
        "norm_gain": stacked("norms", "weight"),
        "norm_bias": stacked("norms", "bias"),
        "mix_weight": stacked("mix", "weight").swapaxes(1, 2),
        "mix_bias": stacked("mix", "bias"),
        "out_weight": stacked("leave_block", "weight").swapaxes(1, 2),
        "out_bias": stacked("leave_block", "bias"),
        "last_gain": state["last_norm.weight"],
        "last_bias": state["last_norm.bias"],
        "leave_weight": state["leave.weight"].T,
        "leave_bias": state["leave.bias"],
    }
