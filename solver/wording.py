"""How numbers read in sentences."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """As in "1 frame" and "12 frames"; for nouns whose plural ends in s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
