"""The manifest: the clips of the benchmark and the demonstration clip, with their seeds."""

from __future__ import annotations

from .cameras import CameraKey, CameraMotion
from .clips import ClipSpec, Cloth, Nuisance, Prop
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


# a person who sits behind the table and works over it, seen from the other side
_ACROSS = ((0.0, 1.42, 1.24), (0.0, -1.0, 0.0))
_DOWNWARD = (0.0, 0.0, -1.0)

TRIPOD = ClipSpec(
    name="tripod",
    about="Camera on a tripod across a table: waving, counting, a fist, a pinch; the hands cross once.",
    seed=31,
    frame_count=72,
    camera=CameraMotion((CameraKey(0.0, (0.06, 0.56, 1.44), (0.0, 1.02, 1.03)),), shake=0.0),
    body=_ACROSS,
    keys=(
        (
            _key(0.0, (-0.15, 0.40, -0.24), (0.05, 0.15, 0.99), (0.15, 0.90, -0.10), "open"),
            _key(0.7, (-0.13, 0.42, -0.20), (0.05, 0.10, 1.00), (0.15, 0.90, -0.10), "wide"),
            _key(1.15, (0.06, 0.44, -0.23), (0.50, 0.20, 0.80), (0.30, 0.80, -0.20), "relaxed"),
            _key(1.5, (0.05, 0.44, -0.23), (0.50, 0.20, 0.80), (0.30, 0.80, -0.20), "fist"),
            _key(2.0, (-0.13, 0.42, -0.23), (0.10, 0.30, 0.90), (0.70, 0.40, -0.20), "pinch"),
            _key(2.4, (-0.14, 0.42, -0.24), (0.10, 0.30, 0.90), (0.60, 0.50, -0.20), "open"),
        ),
        (
            _key(0.0, (0.14, 0.40, -0.26), (-0.05, 0.30, 0.90), (-0.10, 0.80, -0.30), "fist"),
            _key(0.5, (0.13, 0.42, -0.23), (-0.05, 0.20, 0.95), (-0.10, 0.90, -0.20), "count_two"),
            _key(0.9, (0.12, 0.42, -0.23), (-0.05, 0.20, 0.95), (-0.10, 0.90, -0.20), "wide"),
            _key(1.25, (-0.03, 0.36, -0.26), (-0.50, 0.20, 0.80), (-0.30, 0.80, -0.20), "open"),
            _key(1.6, (-0.02, 0.36, -0.26), (-0.50, 0.20, 0.80), (-0.30, 0.80, -0.20), "relaxed"),
            _key(2.0, (0.14, 0.42, -0.24), (-0.10, 0.30, 0.90), (-0.30, 0.85, -0.10), "point"),
            _key(2.4, (0.15, 0.42, -0.24), (-0.10, 0.30, 0.90), (-0.30, 0.85, -0.10), "open"),
        ),
    ),
    waves=((Wave(0.1, 0.8, "palm", 15.0, 2.5),), (Wave(1.9, 2.4, "thumb", 12.0, 2.0),)),
    shape=Shape("male", "asian", {"hand-fingers-length": 0.4}, 0.182),
    skin="tan",
    cloth=Cloth((0.2, 0.05, 0.05), (0.32, 0.1, 0.09), 60.0, 0.5),
    nuisance=Nuisance(shutter=0.25),
    focal_px=640.0,
)

TABLE = ClipSpec(
    name="table",
    about="Head-worn camera at a table: a palm rests on it, the other hand carries a can.",
    seed=32,
    frame_count=78,
    camera=CameraMotion(
        (
            CameraKey(0.0, (-0.10, 0.27, 1.20), (-0.02, 0.66, 0.80)),
            CameraKey(1.3, (0.08, 0.32, 1.22), (0.02, 0.70, 0.80)),
            CameraKey(2.6, (0.12, 0.26, 1.18), (0.0, 0.66, 0.82)),
        ),
    ),
    body=((0.0, 0.18, 1.19), (0.0, 1.0, 0.0)),
    keys=(
        (
            _key(0.0, (-0.14, 0.52, 0.86), (0.2, 0.8, 0.5), (0.3, 0.3, -0.9), "relaxed", "world"),
            _key(0.6, (-0.12, 0.53, 0.765), (0.25, 1.0, 0.0), _DOWNWARD, "flat", "world"),
            _key(1.9, (-0.12, 0.53, 0.765), (0.25, 1.0, 0.0), _DOWNWARD, "flat", "world"),
            _key(2.6, (-0.13, 0.52, 0.90), (0.3, 0.8, 0.6), (0.5, -0.3, -0.8), "open", "world"),
        ),
        (
            _key(0.0, (0.20, 0.46, 0.90), (-0.2, 1.0, 0.1), (-0.8, -0.2, -0.5), "open", "world"),
            _key(0.6, (0.16, 0.52, 0.825), (-0.15, 1.0, 0.0), (-1.0, -0.15, 0.0), "open", "world"),
            _key(0.85, (0.16, 0.52, 0.825), (-0.15, 1.0, 0.0), (-1.0, -0.15, 0.0), "hold", "world"),
            _key(1.35, (0.10, 0.50, 0.95), (-0.3, 0.95, 0.1), (-1.0, -0.3, 0.1), "hold", "world"),
            _key(1.95, (0.03, 0.55, 0.825), (-0.3, 0.95, 0.0), (-0.95, -0.3, 0.0), "hold", "world"),
            _key(2.15, (0.04, 0.54, 0.825), (-0.3, 0.95, 0.0), (-0.95, -0.3, 0.0), "open", "world"),
            _key(2.6, (0.17, 0.47, 0.92), (-0.1, 0.9, 0.4), (-0.7, -0.5, 0.3), "relaxed", "world"),
        ),
    ),
    shape=Shape("female", "caucasian", {"hand-fingers-diameter": -0.2}, 0.174),
    skin="fair",
    cloth=Cloth((0.12, 0.2, 0.12), (0.22, 0.3, 0.2), 50.0, 0.75),
    props=(Prop("cylinder", (0.058, 0.058, 0.13), 1, (0.088, 0.042, 0.0), 0.88, 2.08),),
    nuisance=Nuisance(shutter=0.3, rolling_shutter=0.4),
)

WALK = ClipSpec(
    name="walk",
    about="Head-worn camera on a walk through the room: the hands are carried along, gesturing.",
    seed=33,
    frame_count=75,
    camera=CameraMotion(
        (
            CameraKey(0.0, (-1.75, -0.95, 1.52), (-0.75, -0.45, 0.98)),
            CameraKey(0.8, (-0.95, -0.75, 1.52), (-0.10, -0.05, 0.92)),
            CameraKey(1.6, (-0.10, -0.62, 1.52), (0.80, 0.10, 0.99)),
            CameraKey(2.5, (0.85, -0.60, 1.52), (1.80, -0.15, 0.94)),
        ),
        step_hertz=1.9,
        shake=0.006,
    ),
    keys=(
        (
            _key(0.0, (-0.14, 0.42, -0.29), (0.1, 0.85, 0.5), (0.6, -0.4, -0.7), "relaxed"),
            _key(0.7, (-0.12, 0.44, -0.24), (0.1, 0.7, 0.7), (0.7, -0.6, 0.2), "open"),
            _key(1.3, (-0.11, 0.43, -0.25), (0.2, 0.7, 0.7), (0.8, -0.5, 0.2), "grasp"),
            _key(1.9, (-0.15, 0.43, -0.27), (0.0, 0.85, 0.5), (0.5, -0.2, -0.8), "relaxed"),
            _key(2.5, (-0.14, 0.44, -0.25), (0.1, 0.7, 0.7), (0.5, -0.8, 0.3), "wide"),
        ),
        (
            _key(0.0, (0.15, 0.42, -0.28), (-0.1, 0.8, 0.55), (-0.4, -0.3, -0.85), "open"),
            _key(0.6, (0.14, 0.43, -0.25), (-0.15, 0.8, 0.55), (-0.7, -0.3, -0.6), "pinch"),
            _key(1.1, (0.13, 0.45, -0.25), (-0.1, 0.75, 0.65), (-0.7, -0.6, 0.1), "pinch"),
            _key(1.7, (0.15, 0.43, -0.25), (0.0, 0.6, 0.8), (-0.4, -0.85, 0.3), "wide"),
            _key(2.1, (0.15, 0.42, -0.27), (0.0, 0.8, 0.6), (-0.4, -0.3, -0.85), "relaxed"),
            _key(2.5, (0.14, 0.43, -0.26), (-0.1, 0.8, 0.6), (-0.5, -0.4, -0.75), "point"),
        ),
    ),
    shape=Shape("female", "asian", {"hand-fingers-length": 0.3, "hand-fingers-distance": 0.3}, 0.168),
    skin="tan",
    cloth=Cloth((0.5, 0.48, 0.44), (0.62, 0.6, 0.56), 45.0, 0.6),
    nuisance=Nuisance(shutter=0.4, rolling_shutter=0.5),
)

CROSSING = ClipSpec(
    name="crossing",
    about="Head-worn camera, low light, strong compression: the hands cross, rub and hide each other.",
    seed=34,
    frame_count=75,
    camera=CameraMotion(
        (
            CameraKey(0.0, (0.12, -0.05, 1.49), (0.05, 0.62, 1.20)),
            CameraKey(1.2, (-0.08, 0.0, 1.51), (-0.03, 0.64, 1.20)),
            CameraKey(2.5, (-0.18, -0.06, 1.48), (0.0, 0.60, 1.21)),
        ),
    ),
    keys=(
        (
            _key(0.0, (-0.14, 0.42, -0.31), (0.1, 0.6, 0.8), (0.5, -0.8, 0.3), "open"),
            _key(0.5, (0.03, 0.40, -0.29), (0.4, 0.5, 0.75), (0.4, -0.85, 0.3), "relaxed"),
            _key(0.9, (0.02, 0.40, -0.29), (0.4, 0.5, 0.75), (0.4, -0.85, 0.3), "open"),
            _key(1.35, (-0.026, 0.43, -0.30), (0.05, 0.75, 0.65), (1.0, 0.0, 0.0), "flat"),
            _key(1.9, (-0.026, 0.45, -0.29), (0.05, 0.75, 0.65), (1.0, 0.0, 0.0), "flat"),
            _key(2.5, (-0.14, 0.43, -0.30), (0.1, 0.7, 0.7), (0.3, -0.9, 0.3), "wide"),
        ),
        (
            _key(0.0, (0.14, 0.42, -0.30), (-0.1, 0.6, 0.8), (-0.5, -0.8, 0.3), "wide"),
            _key(0.5, (-0.02, 0.49, -0.28), (-0.4, 0.5, 0.75), (-0.4, -0.85, 0.3), "open"),
            _key(0.9, (-0.01, 0.49, -0.28), (-0.4, 0.5, 0.75), (-0.4, -0.85, 0.3), "relaxed"),
            _key(1.35, (0.026, 0.45, -0.29), (-0.05, 0.75, 0.65), (-1.0, 0.0, 0.0), "flat"),
            _key(1.9, (0.026, 0.43, -0.30), (-0.05, 0.75, 0.65), (-1.0, 0.0, 0.0), "flat"),
            _key(2.5, (0.15, 0.43, -0.31), (-0.1, 0.7, 0.7), (-0.3, -0.9, 0.3), "grasp"),
        ),
    ),
    shape=Shape("male", "african", {"hand-fingers-diameter": 0.3}, 0.193),
    skin="dark",
    cloth=Cloth((0.4, 0.3, 0.1), (0.5, 0.4, 0.18), 50.0, 0.3),
    nuisance=Nuisance(shutter=0.35, light=0.4, noise=1.5, crf=29),
)

ORBIT = ClipSpec(
    name="orbit",
    about="Hand-held camera that circles a person at a table: the fingertips meet, a box is turned over in one hand.",
    seed=35,
    frame_count=72,
    camera=CameraMotion(
        (
            CameraKey(0.0, (-0.36, 0.70, 1.32), (0.0, 1.00, 0.97)),
            CameraKey(0.8, (-0.16, 0.57, 1.35), (0.0, 1.00, 0.98)),
            CameraKey(1.6, (0.12, 0.56, 1.34), (0.0, 1.00, 0.97)),
            CameraKey(2.4, (0.36, 0.68, 1.31), (0.0, 1.00, 0.98)),
        ),
        shake=0.005,
    ),
    body=_ACROSS,
    keys=(
        (
            _key(0.0, (-0.13, 0.40, -0.30), (0.20, 0.70, 0.60), (0.80, 0.10, -0.20), "relaxed"),
            _key(0.8, (-0.09, 0.41, -0.29), (0.50, 0.70, 0.40), (0.60, 0.10, 0.75), "open"),
            _key(1.6, (-0.10, 0.40, -0.29), (0.50, 0.70, 0.40), (0.50, 0.10, 0.80), "grasp"),
            _key(2.4, (-0.14, 0.41, -0.29), (0.20, 0.70, 0.60), (0.60, 0.30, -0.30), "wide"),
        ),
        (
            _key(0.0, (0.12, 0.40, -0.28), (-0.30, 0.75, 0.50), (-0.85, -0.30, 0.20), "hold"),
            _key(0.7, (0.10, 0.42, -0.25), (-0.40, 0.70, 0.50), (-0.60, 0.20, -0.45), "hold"),
            _key(1.4, (0.09, 0.42, -0.25), (-0.40, 0.70, 0.50), (-0.70, -0.60, 0.30), "hold"),
            _key(2.4, (0.12, 0.41, -0.28), (-0.30, 0.75, 0.50), (-0.90, -0.10, -0.20), "hold"),
        ),
    ),
    waves=((Wave(0.5, 1.9, "curl", 16.0, 1.4),), ()),
    shape=Shape("male", "african", {"hand-fingers-length": -0.3}, 0.188),
    skin="brown",
    cloth=Cloth((0.45, 0.45, 0.5), (0.6, 0.6, 0.66), 35.0, 0.2),
    props=(Prop("box", (0.05, 0.045, 0.09), 1, (0.09, 0.042, 0.0), dark=(0.06, 0.2, 0.5), light=(0.85, 0.8, 0.3)),),
    focal_px=560.0,
)

PANNING = ClipSpec(
    name="panning",
    about="A camera that only turns: first one hand, then the other leaves the view and comes back.",
    seed=36,
    frame_count=72,
    camera=CameraMotion(
        (
            CameraKey(0.0, (0.0, -0.05, 1.50), (0.00, 0.60, 1.18)),
            CameraKey(0.7, (0.0, -0.05, 1.50), (0.42, 0.55, 1.20)),
            CameraKey(1.7, (0.0, -0.05, 1.50), (-0.42, 0.55, 1.22)),
            CameraKey(2.4, (0.0, -0.05, 1.50), (0.05, 0.60, 1.17)),
        ),
        shake=0.0,
    ),
    body=((0.0, -0.14, 1.50), (0.0, 1.0, 0.0)),
    keys=(
        (
            _key(0.0, (-0.13, 0.42, -0.31), (0.1, 0.6, 0.8), (0.5, -0.8, 0.3), "wide"),
            _key(0.9, (-0.14, 0.42, -0.31), (0.1, 0.8, 0.55), (0.5, -0.3, -0.8), "relaxed"),
            _key(1.7, (-0.12, 0.44, -0.29), (0.2, 0.7, 0.7), (0.8, -0.5, 0.2), "pinch"),
            _key(2.4, (-0.13, 0.42, -0.31), (0.1, 0.6, 0.8), (0.4, -0.85, 0.3), "open"),
        ),
        (
            _key(0.0, (0.14, 0.42, -0.31), (-0.1, 0.7, 0.7), (-0.5, -0.3, -0.8), "relaxed"),
            _key(0.7, (0.13, 0.43, -0.29), (-0.1, 0.6, 0.8), (-0.5, -0.8, 0.3), "grasp"),
            _key(1.7, (0.15, 0.42, -0.31), (-0.1, 0.6, 0.8), (-0.4, -0.85, 0.3), "fist"),
            _key(2.4, (0.14, 0.42, -0.31), (-0.1, 0.6, 0.8), (-0.4, -0.85, 0.3), "wide"),
        ),
    ),
    shape=Shape("female", "african", {"hand-fingers-length": 0.2}, 0.176),
    skin="brown",
    cloth=Cloth((0.3, 0.08, 0.2), (0.45, 0.15, 0.3), 55.0, 0.4),
    nuisance=Nuisance(shutter=0.3),
)

LOOKAROUND = ClipSpec(
    name="lookaround",
    about="Head-worn camera that looks away for a second and returns; the hands keep still, then moved unseen.",
    seed=37,
    frame_count=108,
    camera=CameraMotion(
        (
            CameraKey(0.0, (0.0, -0.05, 1.50), (0.00, 0.60, 1.18)),
            CameraKey(0.8, (0.05, -0.04, 1.51), (0.03, 0.60, 1.18)),
            CameraKey(1.3, (0.16, -0.08, 1.53), (1.00, 0.30, 1.38)),
            CameraKey(1.8, (0.20, -0.12, 1.53), (1.10, -0.50, 1.40)),
            CameraKey(2.2, (0.16, -0.10, 1.52), (1.00, 0.20, 1.38)),
            CameraKey(2.8, (-0.02, -0.04, 1.50), (-0.02, 0.60, 1.17)),
            CameraKey(3.6, (-0.08, -0.05, 1.49), (0.00, 0.60, 1.19)),
        ),
        smoothing=0.12,
        shake=0.005,
    ),
    body=((0.0, -0.14, 1.50), (0.0, 1.0, 0.0)),
    keys=(
        (
            _key(0.0, (-0.13, 0.42, -0.31), (0.1, 0.65, 0.75), (0.5, -0.8, 0.3), "open"),
            _key(1.4, (-0.13, 0.42, -0.31), (0.1, 0.65, 0.75), (0.5, -0.8, 0.3), "open"),
            _key(2.1, (-0.08, 0.46, -0.28), (0.2, 0.8, 0.55), (0.6, -0.3, -0.7), "relaxed"),
            _key(2.9, (-0.09, 0.44, -0.30), (0.2, 0.7, 0.7), (0.7, -0.6, 0.2), "pinch"),
            _key(3.6, (-0.13, 0.42, -0.31), (0.1, 0.65, 0.75), (0.5, -0.8, 0.3), "wide"),
        ),
        (
            _key(0.0, (0.14, 0.42, -0.31), (-0.1, 0.65, 0.75), (-0.45, -0.85, 0.3), "relaxed"),
            _key(1.4, (0.14, 0.42, -0.31), (-0.1, 0.65, 0.75), (-0.45, -0.85, 0.3), "relaxed"),
            _key(2.1, (0.18, 0.40, -0.29), (0.0, 0.6, 0.8), (-0.4, -0.85, 0.3), "wide"),
            _key(2.9, (0.13, 0.43, -0.30), (-0.1, 0.7, 0.7), (-0.5, -0.8, 0.3), "grasp"),
            _key(3.6, (0.14, 0.42, -0.31), (-0.1, 0.65, 0.75), (-0.5, -0.8, 0.3), "open"),
        ),
    ),
    shape=Shape("male", "caucasian", {"hand-fingers-distance": 0.3, "hand-fingers-diameter": 0.2}, 0.191),
    skin="fair",
    cloth=Cloth((0.06, 0.06, 0.07), (0.13, 0.13, 0.14), 50.0, 0.55),
    nuisance=Nuisance(shutter=0.4, rolling_shutter=0.3),
)

BARE = ClipSpec(
    name="bare",
    about="Hand-held camera with a distorting lens in a room without texture: fast waving, long exposure.",
    seed=38,
    frame_count=60,
    camera=CameraMotion(
        (
            CameraKey(0.0, (0.22, 0.55, 1.42), (0.01, 1.03, 1.04)),
            CameraKey(1.0, (0.02, 0.52, 1.40), (0.0, 1.03, 1.04)),
            CameraKey(2.0, (-0.20, 0.56, 1.43), (-0.01, 1.03, 1.03)),
        ),
        shake=0.006,
    ),
    body=_ACROSS,
    keys=(
        (
            _key(0.0, (-0.14, 0.40, -0.24), (0.00, 0.10, 1.00), (0.10, 0.90, -0.10), "open"),
            _key(1.0, (-0.13, 0.42, -0.21), (0.00, 0.10, 1.00), (0.10, 0.90, -0.10), "wide"),
            _key(1.5, (-0.10, 0.42, -0.23), (0.20, 0.30, 0.85), (0.60, 0.60, -0.10), "fist"),
            _key(2.0, (-0.13, 0.42, -0.23), (0.10, 0.20, 0.95), (0.30, 0.85, -0.10), "open"),
        ),
        (
            _key(0.0, (0.14, 0.42, -0.25), (-0.10, 0.30, 0.90), (-0.40, 0.80, -0.10), "grasp"),
            _key(0.6, (0.12, 0.42, -0.20), (0.00, 0.20, 0.95), (-0.10, 0.90, -0.10), "wide"),
            _key(1.2, (0.17, 0.40, -0.26), (0.00, 0.30, 0.90), (-0.20, 0.85, -0.20), "open"),
            _key(2.0, (0.13, 0.42, -0.22), (0.00, 0.20, 0.95), (-0.10, 0.90, -0.10), "relaxed"),
        ),
    ),
    waves=((Wave(0.0, 1.1, "palm", 20.0, 3.0),), (Wave(0.7, 2.0, "thumb", 22.0, 2.6),)),
    shape=Shape("female", "caucasian", {"hand-fingers-length": -0.2}, 0.170),
    skin="fair",
    cloth=Cloth((0.1, 0.25, 0.3), (0.2, 0.38, 0.42), 45.0, 0.45),
    room="bare",
    nuisance=Nuisance(shutter=0.5, k1=-0.12, k2=0.02),
    focal_px=600.0,
)

BENCH: tuple[ClipSpec, ...] = (TRIPOD, TABLE, WALK, CROSSING, ORBIT, PANNING, LOOKAROUND, BARE)
