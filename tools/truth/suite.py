"""The manifest: the clips of the benchmark and the demonstration clip, with their seeds."""

from __future__ import annotations

from .cameras import CameraKey, CameraMotion
from .clips import ClipSpec, Cloth, Nuisance
from .makehuman import Shape
from .motion import HandKey, Wave


def _key(time, wrist, fingers, palm, shape="relaxed", frame="body") -> HandKey:  # noqa: ANN001
    return HandKey(time, wrist, fingers, palm, shape, frame)


DEMO = ClipSpec(
    name="demo",
    about="Head-worn camera over a table: the hands wave, pinch, grasp and travel.",
    seed=20,
    frame_count=72,
    camera=CameraMotion(
        keys=(
            CameraKey(0.0, (-0.20, -0.02, 1.48), (-0.06, 0.62, 1.24)),
            CameraKey(0.8, (-0.05, 0.02, 1.50), (0.05, 0.66, 1.22)),
            CameraKey(1.6, (0.12, 0.05, 1.47), (0.0, 0.66, 1.20)),
            CameraKey(2.4, (0.20, 0.0, 1.49), (0.08, 0.62, 1.25)),
        ),
    ),
    keys=(
        (
            _key(0.0, (-0.10, 0.43, -0.30), (-0.10, 0.30, 0.95), (0.25, -0.95, 0.3), "wide"),
            _key(0.8, (-0.12, 0.45, -0.28), (-0.15, 0.35, 0.93), (0.3, -0.9, 0.35), "wide"),
            _key(1.2, (-0.08, 0.45, -0.27), (0.10, 0.65, 0.75), (0.75, -0.5, 0.3), "pinch"),
            _key(1.7, (-0.07, 0.47, -0.26), (0.15, 0.75, 0.62), (0.8, -0.4, 0.3), "pinch"),
            _key(2.0, (-0.11, 0.45, -0.27), (0.0, 0.6, 0.8), (0.6, -0.75, 0.3), "open"),
            _key(2.4, (-0.13, 0.44, -0.28), (-0.1, 0.45, 0.9), (0.4, -0.85, 0.3), "wide"),
        ),
        (
            _key(0.0, (0.15, 0.43, -0.30), (0.05, 0.55, 0.82), (-0.55, -0.75, 0.35), "open"),
            _key(0.45, (0.13, 0.47, -0.28), (-0.05, 0.7, 0.7), (-0.6, -0.6, 0.4), "grasp"),
            _key(0.8, (0.12, 0.48, -0.27), (-0.05, 0.72, 0.68), (-0.6, -0.6, 0.4), "fist"),
            _key(1.2, (0.14, 0.46, -0.28), (0.05, 0.6, 0.8), (-0.5, -0.75, 0.35), "wide"),
            _key(1.7, (0.17, 0.45, -0.27), (0.15, 0.4, 0.9), (-0.3, -0.9, 0.3), "count_two"),
            _key(2.05, (0.15, 0.45, -0.28), (0.1, 0.4, 0.9), (-0.3, -0.9, 0.3), "open"),
            _key(2.4, (0.14, 0.45, -0.29), (0.1, 0.4, 0.9), (-0.3, -0.9, 0.3), "relaxed"),
        ),
    ),
    waves=((Wave(0.1, 0.85, "palm", 16.0, 2.2),), (Wave(1.75, 2.4, "curl", 14.0, 1.7),)),
    shape=Shape("male", "caucasian", hand_length=0.188),
    skin="fair",
    cloth=Cloth(sleeve=0.35),
    nuisance=Nuisance(shutter=0.3, crf=23),
)


BENCH: tuple[ClipSpec, ...] = ()
