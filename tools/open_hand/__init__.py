"""Builds the open hand: a hand mesh in MANO's file layout, free of MANO. See README.md."""

from .build import PROVENANCE, Report, build

__all__ = ["PROVENANCE", "Report", "build"]
