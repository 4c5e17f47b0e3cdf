"""The joint optimiser: any number of hands and one camera, over time, in one world. See README.md."""

from . import parts
from .refine import Refined, RefinedTrack, RefineOptions, refine
from .resume import Resumed, resume
from .settled import Remembered, remembered
from .weights import BALANCED, DRAFT, FINAL, PRESETS, Preset, Weights

__all__ = [
    "BALANCED", "DRAFT", "FINAL", "PRESETS", "Preset", "RefineOptions", "Refined", "RefinedTrack", "Remembered",
    "Resumed", "Weights", "parts", "refine", "remembered", "resume",
]  # fmt: skip
