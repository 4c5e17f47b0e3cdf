"""The manifest of the validation suite: what may be tuned on, so that the benchmark's own clips stay unseen.

The same kinds of scene as in ``suite.py`` with other people, rooms, cameras, motions and seeds.
"""

from __future__ import annotations

from .cameras import CameraKey, CameraMotion
from .clips import ClipSpec, Cloth, Nuisance, Prop
from .makehuman import Shape
from .motion import HandKey, Wave


def _key(time, wrist, fingers, palm, shape="relaxed", frame="body") -> HandKey:  # noqa: ANN001
    return HandKey(time, wrist, fingers, palm, shape, frame)


# a person who sits behind the table and works over it, seen from the other side
_ACROSS = ((0.0, 1.42, 1.24), (0.0, -1.0, 0.0))
_DOWNWARD = (0.0, 0.0, -1.0)

TABLE = ClipSpec(
    name="table",
    about="Validation: head-worn camera at a table, the right palm rests on it, the left hand carries a box.",
    seed=132,
    frame_count=66,
    camera=CameraMotion(
        (
            CameraKey(0.0, (0.12, 0.28, 1.22), (0.03, 0.68, 0.80)),
            CameraKey(1.0, (-0.05, 0.30, 1.19), (0.0, 0.67, 0.81)),
            CameraKey(2.2, (-0.13, 0.24, 1.21), (-0.03, 0.68, 0.80)),
        ),
    ),
    body=((0.0, 0.17, 1.20), (0.0, 1.0, 0.0)),
    keys=(
        (
            _key(0.0, (-0.20, 0.46, 0.88), (0.2, 1.0, 0.1), (0.9, -0.2, -0.3), "open", "world"),
            _key(0.4, (-0.17, 0.51, 0.81), (0.2, 1.0, 0.0), (1.0, -0.2, 0.0), "open", "world"),
            _key(0.6, (-0.17, 0.51, 0.81), (0.2, 1.0, 0.0), (1.0, -0.2, 0.0), "hold", "world"),
            _key(1.1, (-0.11, 0.50, 0.93), (0.35, 0.9, 0.2), (0.9, -0.4, 0.2), "hold", "world"),
            _key(1.6, (-0.06, 0.54, 0.81), (0.25, 0.95, 0.0), (0.95, -0.3, 0.0), "hold", "world"),
            _key(1.8, (-0.07, 0.52, 0.81), (0.25, 0.95, 0.0), (0.95, -0.3, 0.0), "wide", "world"),
            _key(2.2, (-0.18, 0.48, 0.90), (0.1, 0.9, 0.4), (0.6, -0.7, 0.2), "relaxed", "world"),
        ),
        (
            _key(0.0, (0.16, 0.50, 0.90), (-0.2, 0.8, 0.5), (-0.4, -0.2, -0.9), "open", "world"),
            _key(0.5, (0.13, 0.52, 0.765), (-0.15, 1.0, 0.0), _DOWNWARD, "flat", "world"),
            _key(1.0, (0.10, 0.55, 0.765), (-0.35, 1.0, 0.0), _DOWNWARD, "open", "world"),
            _key(1.6, (0.13, 0.52, 0.765), (-0.10, 1.0, 0.0), _DOWNWARD, "flat", "world"),
            _key(2.2, (0.14, 0.50, 0.93), (-0.2, 0.7, 0.7), (-0.6, -0.6, 0.2), "point", "world"),
        ),
    ),
    shape=Shape("male", "asian", {"hand-fingers-distance": 0.2, "hand-fingers-length": -0.2}, 0.187),
    skin="tan",
    cloth=Cloth((0.35, 0.12, 0.06), (0.5, 0.2, 0.12), 42.0, 0.4),
    props=(
        Prop("box", (0.055, 0.05, 0.11), 0, (0.088, 0.042, 0.0), 0.62, 1.68, (0.1, 0.3, 0.15), (0.8, 0.85, 0.7), 24.0),
    ),
    nuisance=Nuisance(shutter=0.35, rolling_shutter=0.3, crf=23),
)

WALK = ClipSpec(
    name="walk",
    about="Validation: head-worn camera on a walk the other way through the room, hands carried along, gesturing.",
    seed=133,
    frame_count=72,
    camera=CameraMotion(
        (
            CameraKey(0.0, (1.65, -1.15, 1.58), (0.70, -0.70, 1.03)),
            CameraKey(0.8, (0.85, -0.95, 1.57), (-0.10, -0.45, 1.00)),
            CameraKey(1.6, (-0.05, -0.80, 1.58), (-0.80, -0.05, 1.05)),
            CameraKey(2.4, (-0.75, -0.45, 1.57), (-1.30, 0.45, 1.00)),
        ),
        step_hertz=1.7,
        step_height=0.025,
        shake=0.005,
    ),
    keys=(
        (
            _key(0.0, (-0.15, 0.43, -0.26), (0.0, 0.7, 0.7), (0.5, -0.75, 0.3), "wide"),
            _key(0.6, (-0.13, 0.45, -0.25), (0.15, 0.75, 0.6), (0.7, -0.5, 0.1), "count_two"),
            _key(1.2, (-0.12, 0.43, -0.27), (0.15, 0.85, 0.45), (0.6, -0.2, -0.7), "relaxed"),
            _key(1.8, (-0.13, 0.44, -0.25), (0.1, 0.7, 0.7), (0.7, -0.6, 0.2), "pinch"),
            _key(2.4, (-0.15, 0.43, -0.27), (0.0, 0.8, 0.6), (0.4, -0.5, -0.6), "open"),
        ),
        (
            _key(0.0, (0.14, 0.43, -0.27), (-0.1, 0.8, 0.55), (-0.6, -0.3, -0.7), "relaxed"),
            _key(0.7, (0.15, 0.42, -0.25), (-0.1, 0.65, 0.75), (-0.4, -0.85, 0.2), "open"),
            _key(1.3, (0.13, 0.44, -0.25), (-0.15, 0.7, 0.65), (-0.7, -0.5, 0.1), "fist"),
            _key(1.9, (0.14, 0.44, -0.26), (-0.05, 0.75, 0.6), (-0.5, -0.7, 0.2), "wide"),
            _key(2.4, (0.14, 0.43, -0.27), (-0.1, 0.8, 0.55), (-0.5, -0.4, -0.7), "grasp"),
        ),
    ),
    waves=((Wave(0.2, 0.9, "fingers", 12.0, 2.0),), (Wave(1.5, 2.3, "palm", 12.0, 1.8),)),
    shape=Shape("male", "african", {"hand-fingers-diameter": -0.2, "hand-fingers-length": 0.2}, 0.196),
    skin="dark",
    cloth=Cloth((0.15, 0.1, 0.3), (0.25, 0.2, 0.45), 38.0, 0.25),
    nuisance=Nuisance(shutter=0.45, rolling_shutter=0.4, crf=22),
)

CROSSING = ClipSpec(
    name="crossing",
    about="Validation: head-worn camera, evening light: a clap, one hand washes the other, then the wrists cross.",
    seed=134,
    frame_count=72,
    camera=CameraMotion(
        (
            CameraKey(0.0, (-0.14, -0.02, 1.46), (-0.02, 0.62, 1.18)),
            CameraKey(1.1, (0.06, 0.02, 1.48), (0.02, 0.63, 1.18)),
            CameraKey(2.4, (0.17, -0.04, 1.45), (0.0, 0.61, 1.17)),
        ),
    ),
    keys=(
        (
            _key(0.0, (-0.15, 0.43, -0.30), (0.1, 0.65, 0.75), (0.7, -0.7, 0.2), "wide"),
            _key(0.4, (-0.039, 0.44, -0.30), (0.0, 0.7, 0.7), (1.0, 0.0, 0.0), "flat"),
            _key(0.7, (-0.08, 0.43, -0.30), (0.1, 0.7, 0.7), (0.95, -0.2, 0.0), "open"),
            _key(1.1, (-0.05, 0.45, -0.345), (0.55, 0.7, 0.35), (0.3, -0.3, 0.9), "open"),
            _key(1.5, (-0.06, 0.46, -0.345), (0.55, 0.7, 0.35), (0.3, -0.3, 0.9), "open"),
            _key(1.75, (-0.12, 0.42, -0.33), (0.45, 0.65, 0.5), (0.5, -0.7, 0.4), "open"),
            _key(2.0, (0.03, 0.39, -0.30), (0.35, 0.55, 0.75), (0.3, -0.9, 0.3), "open"),
            _key(2.2, (-0.02, 0.38, -0.30), (0.25, 0.6, 0.75), (0.4, -0.85, 0.3), "relaxed"),
            _key(2.4, (-0.12, 0.42, -0.30), (0.1, 0.65, 0.75), (0.5, -0.8, 0.3), "relaxed"),
        ),
        (
            _key(0.0, (0.15, 0.43, -0.30), (-0.1, 0.65, 0.75), (-0.7, -0.7, 0.2), "open"),
            _key(0.4, (0.039, 0.44, -0.30), (0.0, 0.7, 0.7), (-1.0, 0.0, 0.0), "flat"),
            _key(0.7, (0.08, 0.43, -0.30), (-0.1, 0.7, 0.7), (-0.95, -0.2, 0.0), "open"),
            _key(1.1, (0.06, 0.47, -0.227), (-0.6, 0.7, 0.3), (-0.2, 0.2, -0.95), "open"),
            _key(1.5, (0.035, 0.49, -0.222), (-0.6, 0.7, 0.3), (-0.2, 0.2, -0.95), "open"),
            _key(1.75, (0.13, 0.50, -0.25), (-0.45, 0.65, 0.5), (-0.5, -0.6, 0.0), "open"),
            _key(2.0, (-0.02, 0.51, -0.28), (-0.35, 0.55, 0.75), (-0.4, -0.85, 0.3), "open"),
            _key(2.2, (0.03, 0.51, -0.28), (-0.25, 0.6, 0.75), (-0.45, -0.8, 0.3), "open"),
            _key(2.4, (0.13, 0.46, -0.30), (-0.1, 0.65, 0.75), (-0.5, -0.8, 0.3), "point"),
        ),
    ),
    shape=Shape("female", "caucasian", {"hand-fingers-diameter": 0.2, "hand-fingers-length": 0.1}, 0.172),
    skin="fair",
    cloth=Cloth((0.1, 0.12, 0.12), (0.2, 0.24, 0.24), 55.0, 0.5),
    nuisance=Nuisance(shutter=0.3, light=0.6, noise=1.4, crf=26),
)

ORBIT = ClipSpec(
    name="orbit",
    about="Validation: hand-held camera circles a seated person the other way; a can in the left hand, counting.",
    seed=135,
    frame_count=66,
    camera=CameraMotion(
        (
            CameraKey(0.0, (0.34, 0.66, 1.38), (0.02, 1.02, 1.00)),
            CameraKey(0.7, (0.16, 0.56, 1.36), (0.0, 1.02, 0.99)),
            CameraKey(1.5, (-0.14, 0.58, 1.39), (0.0, 1.02, 1.00)),
            CameraKey(2.2, (-0.32, 0.69, 1.37), (0.0, 1.02, 0.99)),
        ),
        shake=0.006,
    ),
    body=((0.02, 1.42, 1.26), (0.0, -1.0, 0.0)),
    keys=(
        (
            _key(0.0, (-0.13, 0.40, -0.28), (0.30, 0.75, 0.50), (0.85, -0.30, 0.20), "hold"),
            _key(0.8, (-0.11, 0.41, -0.25), (0.40, 0.70, 0.50), (0.65, 0.25, -0.40), "hold"),
            _key(1.5, (-0.10, 0.42, -0.26), (0.40, 0.70, 0.50), (0.75, -0.55, 0.25), "hold"),
            _key(2.2, (-0.13, 0.41, -0.27), (0.30, 0.75, 0.50), (0.90, -0.10, -0.20), "hold"),
        ),
        (
            _key(0.0, (0.13, 0.41, -0.27), (-0.15, 0.55, 0.80), (-0.50, 0.60, -0.20), "fist"),
            _key(0.6, (0.12, 0.42, -0.24), (-0.05, 0.35, 0.95), (-0.20, 0.85, -0.20), "point"),
            _key(1.1, (0.12, 0.42, -0.24), (-0.05, 0.35, 0.95), (-0.20, 0.85, -0.20), "count_two"),
            _key(1.6, (0.11, 0.42, -0.24), (-0.10, 0.40, 0.90), (-0.35, 0.80, -0.20), "wide"),
            _key(2.2, (0.10, 0.41, -0.27), (-0.45, 0.70, 0.45), (-0.60, 0.15, 0.70), "relaxed"),
        ),
    ),
    waves=((), (Wave(1.4, 2.1, "thumb", 14.0, 1.8),)),
    shape=Shape("female", "asian", {"hand-fingers-distance": -0.2, "hand-fingers-length": 0.3}, 0.176),
    skin="brown",
    cloth=Cloth((0.5, 0.42, 0.2), (0.62, 0.55, 0.3), 48.0, 0.6),
    props=(Prop("cylinder", (0.05, 0.05, 0.11), 0, (0.09, 0.04, 0.0), dark=(0.4, 0.08, 0.25), light=(0.8, 0.8, 0.85)),),
    nuisance=Nuisance(shutter=0.3, crf=22),
    focal_px=540.0,
)

TRIPOD = ClipSpec(
    name="tripod",
    about="Validation: camera on a tripod across a table: counting, pointing, waving; the hands cross twice.",
    seed=131,
    frame_count=72,
    camera=CameraMotion((CameraKey(0.0, (-0.10, 0.54, 1.40), (0.0, 1.02, 1.04)),), shake=0.0),
    body=_ACROSS,
    keys=(
        (
            _key(0.0, (-0.14, 0.41, -0.24), (0.10, 0.20, 0.95), (0.20, 0.85, -0.20), "fist"),
            _key(0.5, (-0.13, 0.42, -0.21), (0.05, 0.15, 0.98), (0.10, 0.90, -0.20), "count_two"),
            _key(0.7, (-0.08, 0.36, -0.23), (0.20, 0.20, 0.95), (0.20, 0.90, -0.20), "open"),
            _key(0.9, (0.05, 0.36, -0.24), (0.45, 0.20, 0.85), (0.30, 0.85, -0.20), "open"),
            _key(1.2, (-0.12, 0.40, -0.23), (0.10, 0.25, 0.95), (0.40, 0.75, -0.20), "wide"),
            _key(1.4, (-0.12, 0.47, -0.22), (0.15, 0.25, 0.95), (0.40, 0.80, -0.10), "open"),
            _key(1.7, (0.05, 0.47, -0.23), (0.45, 0.25, 0.85), (0.40, 0.80, -0.10), "relaxed"),
            _key(2.0, (-0.10, 0.46, -0.23), (0.20, 0.25, 0.95), (0.50, 0.70, -0.20), "relaxed"),
            _key(2.4, (-0.13, 0.42, -0.23), (0.10, 0.30, 0.90), (0.60, 0.60, -0.20), "point"),
        ),
        (
            _key(0.0, (0.15, 0.41, -0.25), (-0.10, 0.25, 0.95), (-0.20, 0.90, -0.20), "wide"),
            _key(0.5, (0.13, 0.43, -0.22), (-0.05, 0.20, 0.95), (-0.20, 0.85, -0.20), "open"),
            _key(0.7, (0.09, 0.47, -0.23), (-0.20, 0.20, 0.95), (-0.25, 0.85, -0.15), "open"),
            _key(0.9, (-0.04, 0.47, -0.24), (-0.45, 0.20, 0.85), (-0.30, 0.85, -0.10), "relaxed"),
            _key(1.2, (0.12, 0.43, -0.24), (-0.15, 0.25, 0.90), (-0.50, 0.70, -0.20), "grasp"),
            _key(1.4, (0.13, 0.36, -0.24), (-0.15, 0.25, 0.95), (-0.40, 0.80, -0.20), "open"),
            _key(1.7, (-0.03, 0.36, -0.25), (-0.50, 0.25, 0.80), (-0.30, 0.85, -0.20), "open"),
            _key(2.0, (0.11, 0.37, -0.25), (-0.20, 0.25, 0.95), (-0.40, 0.80, -0.20), "open"),
            _key(2.4, (0.14, 0.42, -0.24), (-0.10, 0.30, 0.90), (-0.40, 0.80, -0.20), "pinch"),
        ),
    ),
    waves=((Wave(1.8, 2.3, "fingers", 13.0, 2.2),), (Wave(0.0, 0.6, "palm", 15.0, 2.3),)),
    shape=Shape("female", "african", {"hand-fingers-length": 0.2, "hand-fingers-diameter": 0.1}, 0.178),
    skin="dark",
    cloth=Cloth((0.3, 0.3, 0.34), (0.42, 0.42, 0.48), 52.0, 0.7),
    nuisance=Nuisance(shutter=0.3, crf=22),
    focal_px=610.0,
)

LOOKAROUND = ClipSpec(
    name="lookaround",
    about="Validation: head-worn camera that looks away to the left and returns; the hands move unseen meanwhile.",
    seed=137,
    frame_count=102,
    camera=CameraMotion(
        (
            CameraKey(0.0, (0.03, -0.06, 1.46), (0.02, 0.60, 1.14)),
            CameraKey(0.7, (-0.03, -0.04, 1.47), (0.0, 0.61, 1.15)),
            CameraKey(1.2, (-0.14, -0.07, 1.49), (-0.98, 0.35, 1.30)),
            CameraKey(1.7, (-0.22, -0.11, 1.50), (-1.15, -0.40, 1.36)),
            CameraKey(2.2, (-0.15, -0.09, 1.48), (-0.95, 0.25, 1.33)),
            CameraKey(2.7, (0.0, -0.05, 1.46), (0.02, 0.60, 1.14)),
            CameraKey(3.4, (0.09, -0.03, 1.45), (0.0, 0.60, 1.15)),
        ),
        smoothing=0.12,
        shake=0.005,
    ),
    body=((0.0, -0.14, 1.46), (0.0, 1.0, 0.0)),
    keys=(
        (
            _key(0.0, (-0.14, 0.43, -0.31), (0.1, 0.7, 0.7), (0.45, -0.8, 0.3), "relaxed"),
            _key(1.2, (-0.14, 0.43, -0.31), (0.1, 0.7, 0.7), (0.45, -0.8, 0.3), "relaxed"),
            _key(2.0, (-0.17, 0.41, -0.28), (0.0, 0.65, 0.75), (0.4, -0.85, 0.3), "wide"),
            _key(2.8, (-0.12, 0.44, -0.30), (0.15, 0.7, 0.7), (0.6, -0.7, 0.3), "count_two"),
            _key(3.4, (-0.13, 0.42, -0.30), (0.1, 0.7, 0.7), (0.5, -0.8, 0.3), "open"),
        ),
        (
            _key(0.0, (0.13, 0.42, -0.31), (-0.1, 0.6, 0.8), (-0.5, -0.8, 0.3), "wide"),
            _key(1.2, (0.13, 0.42, -0.31), (-0.1, 0.6, 0.8), (-0.5, -0.8, 0.3), "wide"),
            _key(2.0, (0.09, 0.46, -0.28), (-0.2, 0.8, 0.5), (-0.7, -0.3, -0.6), "relaxed"),
            _key(2.8, (0.10, 0.44, -0.29), (-0.2, 0.7, 0.7), (-0.7, -0.6, 0.3), "pinch"),
            _key(3.4, (0.14, 0.42, -0.31), (-0.1, 0.65, 0.75), (-0.5, -0.8, 0.3), "fist"),
        ),
    ),
    shape=Shape("female", "asian", {"hand-fingers-distance": 0.2, "hand-fingers-length": 0.1}, 0.173),
    skin="tan",
    cloth=Cloth((0.42, 0.1, 0.1), (0.55, 0.2, 0.18), 46.0, 0.35),
    nuisance=Nuisance(shutter=0.4, rolling_shutter=0.35, crf=23),
)

BARE = ClipSpec(
    name="bare",
    about="Validation: hand-held camera with a distorting lens in a room without texture: fast gestures, bare arms.",
    seed=138,
    frame_count=60,
    camera=CameraMotion(
        (
            CameraKey(0.0, (-0.20, 0.54, 1.39), (0.0, 1.03, 1.03)),
            CameraKey(0.9, (-0.02, 0.50, 1.41), (0.01, 1.03, 1.04)),
            CameraKey(2.0, (0.21, 0.57, 1.40), (0.0, 1.03, 1.04)),
        ),
        shake=0.006,
    ),
    body=_ACROSS,
    keys=(
        (
            _key(0.0, (-0.13, 0.41, -0.23), (0.05, 0.25, 0.95), (0.30, 0.85, -0.10), "grasp"),
            _key(0.6, (-0.12, 0.42, -0.20), (0.00, 0.15, 0.98), (0.10, 0.90, -0.10), "wide"),
            _key(1.2, (-0.16, 0.41, -0.24), (0.00, 0.20, 0.95), (0.10, 0.90, -0.20), "relaxed"),
            _key(2.0, (-0.12, 0.43, -0.22), (0.15, 0.30, 0.90), (0.50, 0.70, -0.10), "open"),
        ),
        (
            _key(0.0, (0.14, 0.40, -0.24), (-0.05, 0.15, 1.00), (-0.10, 0.90, -0.10), "open"),
            _key(0.8, (0.12, 0.43, -0.21), (0.00, 0.10, 1.00), (-0.15, 0.90, -0.10), "wide"),
            _key(1.4, (0.11, 0.42, -0.24), (-0.20, 0.30, 0.85), (-0.60, 0.60, -0.10), "point"),
            _key(2.0, (0.14, 0.41, -0.23), (-0.10, 0.20, 0.95), (-0.30, 0.85, -0.10), "fist"),
        ),
    ),
    waves=((Wave(0.5, 1.9, "thumb", 20.0, 2.4),), (Wave(0.0, 1.0, "palm", 20.0, 2.8),)),
    shape=Shape("male", "asian", {"hand-fingers-length": 0.2}, 0.185),
    skin="tan",
    cloth=Cloth((0.3, 0.2, 0.08), (0.42, 0.32, 0.16), 40.0, 0.3),
    room="bare",
    nuisance=Nuisance(shutter=0.5, k1=-0.10, k2=0.015),
    focal_px=580.0,
)

VALIDATION: tuple[ClipSpec, ...] = (TABLE, WALK, CROSSING, ORBIT, TRIPOD, LOOKAROUND, BARE)
