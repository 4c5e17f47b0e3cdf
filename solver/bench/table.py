"""What each figure of the benchmark is, which way is better, and by how much it may get worse."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Attributes:
    title, unit: for a heading.
    about: one sentence.
    better: "lower", "higher", or "" where it is only told.
    signed: an error with a sign; over several clips the mean of its size is told.
    noise: (absolute, relative) change of the overall value that is no regression; None: not gated.
    """

    title: str
    unit: str
    about: str
    better: str = "lower"
    noise: tuple[float, float] | None = None
    signed: bool = False


FIGURES: dict[str, Figure] = {
    "recall": Figure("found", "share", "hands in view that the product has", "higher", (0.01, 0.0)),
    "side_right": Figure("side", "share", "hands named left or right rightly", "higher", (0.01, 0.0)),
    "c_mpjpe": Figure("C-MPJPE", "mm", "camera space, no alignment: depth and scale count", "lower", (1.0, 0.05)),
    "c_mpjpe_covered": Figure("C-MPJPE+", "mm", "capped at 100 mm, what a missing hand costs", "lower", (1.0, 0.05)),
    "c_within": Figure("<30 mm", "share", "joints within 30 mm; missing ones fail", "higher", (0.02, 0.0)),
    "g_mpjpe_100": Figure("G-MPJPE", "mm", "world, Sim(3) from the first two frames of 100", "lower", (2.0, 0.1)),
    "ga_mpjpe_100": Figure("GA-MPJPE", "mm", "world, Sim(3) from all frames of 100", "lower", (1.0, 0.05)),
    "g_mpjpe_128": Figure("G 128", "mm", "likewise over 128 frames"),
    "ga_mpjpe_128": Figure("GA 128", "mm", "likewise over 128 frames"),
    "g_rigid": Figure("G rigid", "mm", "as G-MPJPE without scale", "lower", (2.0, 0.1)),
    "ga_rigid": Figure("GA rigid", "mm", "as GA-MPJPE without scale", "lower", (1.0, 0.05)),
    "ga_covered": Figure("GA-MPJPE+", "mm", "as GA-MPJPE, capped at 100 mm, what a missing hand costs"),
    "mpjpe": Figure("MPJPE", "mm", "relative to the wrist, the camera's axes", "lower", (0.5, 0.05)),
    "mpjpe_covered": Figure("MPJPE+", "mm", "likewise, capped at 100 mm, what a missing hand costs"),
    "pa_mpjpe": Figure("PA-MPJPE", "mm", "Procrustes per frame", "lower", (0.3, 0.05)),
    "pa_mpjpe_covered": Figure("PA-MPJPE+", "mm", "likewise, capped at 100 mm, what a missing hand costs"),
    "pa_rigid": Figure("PA rigid", "mm", "Procrustes per frame without scale"),
    "auc": Figure("AUC", "share", "of the share of joints within 0-50 mm, after Procrustes", "higher", (0.01, 0.0)),
    "acc_err": Figure("Acc", "m/s²", "acceleration error after a rigid alignment", "lower", (0.2, 0.1)),
    "jitter": Figure("jitter", "m/s³", "third difference of the prediction", "lower", (5.0, 0.1)),
    "jitter_true": Figure("true jitter", "m/s³", "third difference of the truth", ""),
    "rte": Figure("RTE", "%", "wrist path after a rigid alignment, of its length"),
    "mrrpe": Figure("MRRPE", "mm", "vector between the wrists, the camera's axes", "lower", (2.0, 0.1)),
    "mpvpe": Figure("MPVPE", "mm", "vertices, wrists moved together; only where the truth has MANO's mesh"),
    "pa_mpvpe": Figure("PA-MPVPE", "mm", "vertices after Procrustes, likewise"),
    "surface": Figure("surface", "mm", "between surfaces both ways, after Procrustes on joints", "lower", (0.3, 0.05)),
    "silhouette": Figure("IoU", "share", "of the hands' silhouettes; a missing hand counts 0", "higher", (0.01, 0.02)),
    "hand_size": Figure("size", "%", "of the hand against the true one", "lower", (1.0, 0.1), signed=True),
    "penetration": Figure("depth", "mm", "of one hand in the other, 95th percentile of frames", "lower", (1.0, 0.1)),
    "penetration_volume": Figure("volume", "cm³", "that the hands share, mean of frames", "lower", (0.5, 0.1)),
    "true_penetration": Figure("true depth", "mm", "of one true hand in the other: what the rendering gets wrong", ""),
    "contact_gap": Figure("gap", "mm", "between parts that touch in truth", "lower", (1.0, 0.1)),
    "within_68_joints": Figure("68 %", "share", "joints, relative to the wrist, within their stated 68 % interval", ""),
    "within_95_joints": Figure("95 %", "share", "likewise, 95 % interval", ""),
    "within_68_visible": Figure("68 % visible", "share", "joints that are visible, within their 68 % interval", ""),
    "within_95_visible": Figure("95 % visible", "share", "likewise, 95 % interval", ""),
    "within_68_wrist": Figure("68 % wrist", "share", "wrists, along and across their rays, within the 68 %", ""),
    "within_95_wrist": Figure("95 % wrist", "share", "likewise, 95 % interval", ""),
    "within_68_camera_turn": Figure("68 % turn", "share", "camera's turns within their stated 68 % interval", ""),
    "within_95_camera_turn": Figure("95 % turn", "share", "likewise, 95 % interval", ""),
    "within_68_camera_place": Figure("68 % place", "share", "camera's centres within their stated 68 % interval", ""),
    "within_95_camera_place": Figure("95 % place", "share", "likewise, 95 % interval", ""),
    "camera_visible": Figure("visible", "mm", "C-MPJPE of visible joints"),
    "camera_occluded": Figure("occluded", "mm", "C-MPJPE of occluded joints"),
    "camera_outside": Figure("outside", "mm", "C-MPJPE of joints out of the frame"),
    "world_visible": Figure("W visible", "mm", "visible joints after one rigid alignment of both hands over the clip"),
    "world_occluded": Figure("W occluded", "mm", "occluded joints, likewise"),
    "world_outside": Figure("W outside", "mm", "joints out of the frame, likewise"),
    "error_px": Figure("2D", "px", "median distance in the picture"),
    "error_of_hand": Figure("2D", "% of hand", "median distance in the picture", "lower", (0.1, 0.05)),
    "recall_left": Figure("found left", "share", "left hands in view that the product has", "higher"),
    "recall_right": Figure("found right", "share", "right hands in view that the product has", "higher"),
    "infilled": Figure("infilled", "share", "hands wholly out of view that the product still places", ""),
    "spare_tracks": Figure("spare", "hands", "hands beyond one left and one right, all frames together"),
    "false_hands": Figure("false", "hands", "claimed where the picture shows no hand", "lower", (2.0, 0.1)),
    "ate": Figure("ATE", "mm", "camera centres after a Sim(3)", "lower", (1.0, 0.1)),
    "ate_s": Figure("ATE-S", "mm", "camera centres after a rigid alignment", "lower", (1.0, 0.1)),
    "camera_turn": Figure("turn", "deg", "camera's rotation since the first frame", "lower", (0.1, 0.1)),
    "camera_turn_rmse": Figure("turn RMSE", "deg", "camera after one turn of the world", "lower", (0.1, 0.1)),
    "camera_scale": Figure("scale", "%", "of the camera's path against the true one", "lower", (1.0, 0.1), signed=True),
    "kind_right": Figure("kind", "share", "camera's kind of motion found out rightly", "higher", (0.01, 0.0)),
    "camera_path": Figure("path", "m", "length of the camera's true path", ""),
    "focal_error": Figure("focal", "%", "focal length against the true one", "lower", (0.5, 0.1), signed=True),
}  # fmt: skip

# one line per clip on the console and at the head of the report
SHORT = (
    "recall", "false_hands", "side_right", "c_mpjpe", "c_mpjpe_covered", "g_mpjpe_100", "ga_mpjpe_100", "ga_rigid",
    "mpjpe", "pa_mpjpe", "acc_err", "jitter", "mrrpe", "ate_s", "error_of_hand",
)  # fmt: skip
# a second one: the camera, surfaces and contact, and whether stated uncertainties hold
FURTHER = (
    "camera_scale", "camera_turn_rmse", "focal_error", "kind_right", "hand_size", "surface", "silhouette",
    "penetration", "penetration_volume", "true_penetration", "contact_gap",
    "within_68_joints", "within_95_joints", "within_68_visible", "within_95_visible",
    "within_68_wrist", "within_95_wrist",
    "within_68_camera_turn", "within_95_camera_turn", "within_68_camera_place", "within_95_camera_place",
)  # fmt: skip


# beyond these a clip's figure is named as bad; of figures with a sign the size counts
BAD = {
    "recall": 0.95, "side_right": 0.95, "false_hands": 0.5, "c_mpjpe_covered": 50.0, "g_mpjpe_100": 100.0,
    "ga_mpjpe_100": 40.0, "ga_rigid": 50.0, "mpjpe": 30.0, "pa_mpjpe": 10.0, "mrrpe": 60.0, "ate_s": 50.0,
    "error_of_hand": 6.0, "camera_scale": 15.0, "focal_error": 5.0, "kind_right": 0.5, "hand_size": 8.0,
    "silhouette": 0.75, "penetration": 10.0, "contact_gap": 15.0, "within_95_joints": 0.85, "within_95_wrist": 0.85,
}  # fmt: skip


def is_bad(name: str, value: float | None) -> bool:
    """Whether a figure lies beyond its limit in ``BAD``; one that was not measured does not."""
    if value is None or name not in BAD:
        return False
    figure = FIGURES[name]
    return value < BAD[name] if figure.better == "higher" or name.startswith("within") else abs(value) > BAD[name]


def show(value: float | None) -> str:
    """A number as a table prints it."""
    if value is None or value != value:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def regressions(overall: dict[str, float | None], baseline: dict[str, float | None]) -> list[str]:
    """Gated figures that got worse than the baseline by more than their noise, each as a sentence."""
    found = []
    for name, figure in FIGURES.items():
        before, now = baseline.get(name), overall.get(name)
        if figure.noise is None or before is None:
            continue
        if now is None:
            found.append(f"{figure.title} ({name}) could not be measured any more; it was {show(before)}.")
            continue
        worse = now - before if figure.better == "lower" else before - now
        if worse > max(figure.noise[0], figure.noise[1] * abs(before)):
            found.append(f"{figure.title} ({name}) is {show(now)} {figure.unit}; the baseline has {show(before)}.")
    return found
