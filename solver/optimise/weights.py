"""Every number that says how much a cost counts, in one place, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass

from .solve import Stage


@dataclass(frozen=True)
class Weights:
    """Deviations and time constants of all costs. Residuals are whitened, so that no further weight is needed.

    Speeds are deviations of velocity in everyday manipulation: recordings of one source or another have medians of
    0.3 and 99th percentiles of 3 hand lengths a second at the wrist, 36 and 550 deg/s in its rotation, and 23 to 44
    (median) and 200 to 560 deg/s (99 %) in the fingers. Within these, speeds and time constants were chosen by
    acceleration and aligned world error on three rendered clips with real detections ("demo", "bare" and "walk" of the
    benchmark); its other clips had no say. On the clips of the validation suite, which came later, changes of these
    and of the hint's and the kernels' scales by a third either way alter no error by more than 3 %.
    """

    # Geman-McClure scale of a landmark's image error, in its own deviations: beyond it a landmark is an outlier
    robust_sigmas: float = 4.0
    # the tracker's depths along the ray, in palm sizes, per landmark and frame: what a single frame shows
    hint_palm_sizes: float = 0.35
    # kernel of the depth hint, in its own deviations
    hint_robust_sigmas: float = 2.4

    # wrist: hand lengths per second, and seconds until it has forgotten its velocity
    wrist_speed: float = 1.0
    wrist_memory_s: float = 0.5
    # wrist rotation: deg per second; a little more forgetful than position
    wrist_turn_deg: float = 110.0
    wrist_turn_memory_s: float = 0.3
    # fingers: deg per second of flexion hinges (abduction and twist in proportion to their range). Recordings with
    # exact angles have 0.09 s; detections err in common from frame to frame, which the longer memory makes up for
    finger_speed_deg: float = 80.0
    finger_memory_s: float = 0.2
    # the processes' deviations follow how lively a hand is seen to be (``activity``), within these factors: one
    # constant for all is too stiff for hands that are flung about. Misread frames look lively, too: at 3 acceleration
    # error and jitter were 6 and 8 % higher on the validation clips (at 1 lower still) and no position any better
    calmest: float = 1.0
    liveliest: float = 1.5

    # how softly a joint limit gives way
    limit_deg: float = 3.0
    # factor on the deviations of recorded poses: per frame weak, or gaps are pulled to the mean pose
    pose_scale: float = 5.0

    # for how long the tracker errs in the same way: for stated uncertainty, that much of a clip is one observation
    error_memory_s: float = 1.0

    # shape coefficients have unit variance by the format's definition
    shape: float = 1.0
    # no person's coefficient lies farther out, and how softly that holds: likewise tighter with every hand-frame, or a
    # long clip with a wrong camera makes hands that nobody has
    shape_limit: float = 3.0
    shape_limit_softness: float = 0.2
    # ... and around the initial fit's, for a shape seen in ``shape_frames`` hand-frames. It shrinks with the root of
    # their number: the landmarks' errors repeat from frame to frame, and fingers that are free to bend towards noise
    # come out longer than they are, so the evidence for such an error grows with the clip
    shape_start: float = 0.5
    # relative error of the initial fit's hand size, likewise. No camera measures it well: hand and depth scale together
    hand_size: float = 0.02
    # ... and how softly a length is held that was measured, whatever the clip's length: pictures know less of it
    measured_size: float = 0.001
    # hand-frames for which ``shape_start`` and ``hand_size`` hold: about a third of a second of one hand, or of one
    # idea of the detector
    shape_frames: float = 10.0

    # overlap of capsules, metres: of two hands; and what those of one hand have for nothing, flesh being soft
    overlap_m: float = 0.0008
    own_slack_m: float = 0.005
    # air between parts that are evidently in touch, metres; how fast they may slip, m/s; and beyond how many deviations
    # the picture is believed instead
    touch_m: float = 0.003
    # air that thumb and finger of one hand may have for nothing: what they hold between them is not known to be nothing
    held_m: float = 0.015
    slip_speed: float = 0.03
    touch_robust_sigmas: float = 6.0
    # how fast one wrist moves about the other while hands touch, m/s
    touching_wrist_speed: float = 0.1

    # camera poses around mapping's, when it gives no covariance of its own: rad, m; and their steps from frame to frame
    camera_turn: float = 0.01
    camera_shift: float = 0.02
    camera_turn_step: float = 0.001
    camera_shift_step: float = 0.001
    # relative error of the focal length, and of the scale of the camera's path, when they are solved
    focal: float = 0.05
    scale: float = 0.05
    # landmark offsets around the shipped calibration, metres, when they are solved; shrinks like the shape's
    offsets_m: float = 0.008


@dataclass(frozen=True)
class Preset:
    """A quality: weights, stages, which of the dearer parts are on; ``off`` names costs (``costs.NAMES``) to leave out.

    ``drawn_size``: landmarks are made as large as the hand's distances over time say (``drawn_size``).
    ``outlines``: the stage of ``solver.silhouette`` follows this optimiser's.

    The widened kernels come first, so that a start far off still feels its landmarks. The root alone goes first: it is
    cheap, and fingers fitted around a wrong wrist are the commonest detour.
    """

    name: str
    weights: Weights
    stages: tuple[Stage, ...]
    hint: bool = True
    solid: bool = True
    second_look: bool = True
    drawn_size: bool = True
    off: frozenset[str] = frozenset()
    outlines: bool = False


DRAFT = Preset(
    "draft",
    Weights(),
    (Stage("wrists", 3, 1e-2, widening=3.0, root_only=True), Stage("hands", 6, 1e-3)),
    solid=False,
    second_look=False,
)
BALANCED = Preset(
    "balanced",
    Weights(),
    (
        Stage("wrists", 4, 1e-2, widening=6.0, root_only=True),
        Stage("hands", 4, 1e-2, widening=2.5),
        Stage("refinement", 20, 1e-4),
    ),
)
FINAL = Preset(
    "final",
    Weights(),
    (
        Stage("wrists", 6, 1e-2, widening=6.0, root_only=True),
        Stage("hands", 6, 1e-2, widening=6.0),
        Stage("hands again", 6, 1e-2, widening=2.5),
        Stage("refinement", 60, 1e-6),
    ),
    outlines=True,
)
PRESETS = {preset.name: preset for preset in (DRAFT, BALANCED, FINAL)}
