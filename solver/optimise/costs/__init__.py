"""The declared costs. Each names the variables it touches, gives residuals and analytic Jacobians, and has a test."""

from .base import Cost
from .camera import CameraCost
from .constraints import AnglesTargetCost, OrientTargetCost, PointTargetCost, TogetherCost, hold_still
from .contact import NonPenetrationCost
from .contour import ContourCost
from .dynamics import FingerDynamicsCost, WristPositionCost, WristRotationCost, process
from .globals import FocalCost, HandSizeCost, OffsetsCost, ScaleCost, ShapeCost, ShapeLimitCost
from .hint import DepthHintCost
from .keypoints import KeypointCost, whitening_of
from .learned import HiddenFingersCost
from .pose import JointLimitCost, PoseCovarianceCost, PoseDistributionCost
from .touch import NoSlipCost, RelativeWristCost, TouchCost

__all__ = [
    "ShapeLimitCost",
    "AnglesTargetCost", "CameraCost", "ContourCost", "Cost", "DepthHintCost", "FingerDynamicsCost", "FocalCost",
    "HandSizeCost", "HiddenFingersCost", "JointLimitCost", "KeypointCost", "NAMES", "NoSlipCost",
    "NonPenetrationCost", "OffsetsCost", "OrientTargetCost", "PointTargetCost", "PoseCovarianceCost",
    "PoseDistributionCost", "RelativeWristCost", "ScaleCost", "ShapeCost", "TogetherCost", "TouchCost",
    "WristPositionCost", "WristRotationCost", "hold_still", "process", "whitening_of",
]  # fmt: skip

# of every declared cost, as in tables and in ``Preset.off``
NAMES = tuple(sorted({kind.name for kind in list(vars().values()) if isinstance(kind, type) and hasattr(kind, "name")}))
