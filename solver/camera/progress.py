"""What a camera solve says on its way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CameraProgress:
    """``done`` of ``total`` units of ``step`` ("tracks", "structure", ...)."""

    step: str
    done: int
    total: int
