"""The hand model: MANO's layout, our own layer over it, loading. See README.md."""

from .loading import load, load_file, load_pair
from .model import HandModel, PosedHand, ShapedHand, keypoint_ancestors

__all__ = ["HandModel", "PosedHand", "ShapedHand", "keypoint_ancestors", "load", "load_file", "load_pair"]
