"""What a clip is made of, as plain data: who, where, which camera, which motion, which faults of a real recording."""

from __future__ import annotations

from dataclasses import dataclass, field

from .cameras import CameraMotion
from .makehuman import Shape
from .motion import HandKey, Wave

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Skin:
    """Linear RGB of the two tones, of reddened places, of the nails."""

    dark: Colour
    light: Colour
    red: Colour
    nail: Colour


SKINS = {
    "fair": Skin((0.50, 0.29, 0.20), (0.64, 0.41, 0.30), (0.58, 0.24, 0.17), (0.68, 0.42, 0.34)),
    "tan": Skin((0.36, 0.19, 0.115), (0.47, 0.27, 0.17), (0.38, 0.16, 0.10), (0.55, 0.33, 0.25)),
    "brown": Skin((0.17, 0.085, 0.05), (0.25, 0.13, 0.08), (0.19, 0.08, 0.05), (0.38, 0.21, 0.15)),
    "dark": Skin((0.055, 0.027, 0.017), (0.095, 0.048, 0.03), (0.075, 0.032, 0.022), (0.22, 0.12, 0.085)),
}


@dataclass(frozen=True)
class Cloth:
    """Linear RGB of the stripes and their scale; ``sleeve``: how far down it reaches, 0 the elbow, 1 the wrist."""

    dark: Colour = (0.05, 0.08, 0.16)
    light: Colour = (0.12, 0.17, 0.29)
    scale: float = 40.0
    sleeve: float = 0.0


@dataclass(frozen=True)
class Prop:
    """A simple object that a hand holds between two times, and that lies where it was picked up or put down otherwise.

    Attributes:
        kind: "box" or "cylinder" (along z); ``size`` its extents in metres.
        hand: 0 left, 1 right.
        grab, release: [s].
        offset: metres along the hand's fingers, palm and thumb directions from the wrist to the object's centre.
        colours and ``scale`` of its pattern.
    """

    kind: str
    size: tuple[float, float, float]
    hand: int
    offset: tuple[float, float, float]
    grab: float = -1.0
    release: float = 1e9
    dark: Colour = (0.75, 0.12, 0.08)
    light: Colour = (0.9, 0.8, 0.55)
    scale: float = 30.0


@dataclass(frozen=True)
class Nuisance:
    """Faults of a real recording; the defaults are none of them but a little sensor noise.

    Attributes:
        shutter: share of a frame during which it is exposed, centred on the frame's time; 0 for no motion blur.
        rolling_shutter: share of the shutter interval over which the rows are swept, 0..1. Row r of n is exposed about
            the frame's time + shutter * rolling_shutter * ((r + 0.5) / n - 0.5) frames.
        k1, k2: radial distortion in COLMAP's and OpenCV's sense: x_d = x (1 + k1 r^2 + k2 r^4).
        light: factor on the exposure; below one the gain is raised to a share of it and the noise with it.
        noise: standard deviation of the sensor's noise in 8-bit levels, at light 1.
        crf: x264's quality; 18 is nearly clean, 34 is bad.
    """

    shutter: float = 0.3
    rolling_shutter: float = 0.0
    k1: float = 0.0
    k2: float = 0.0
    light: float = 1.0
    noise: float = 1.2
    crf: int = 20


@dataclass(frozen=True)
class ClipSpec:
    """One clip of the suite.

    Attributes:
        name: also the name of its folder.
        about: one sentence for the report.
        seed: of every random choice in it.
        frame_count, size, frame_rate: the clip's own.
        focal_px: of the pinhole before distortion; the principal point is the centre.
        camera: its motion.
        body: (eyes, forward) of a person who does not wear the camera, or None.
        keys: of the left and the right hand.
        waves: likewise.
    """

    name: str
    about: str
    seed: int
    frame_count: int
    camera: CameraMotion
    keys: tuple[tuple[HandKey, ...], tuple[HandKey, ...]]
    waves: tuple[tuple[Wave, ...], tuple[Wave, ...]] = ((), ())
    body: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None
    shape: Shape = field(default_factory=Shape)
    skin: str = "fair"
    cloth: Cloth = field(default_factory=Cloth)
    room: str = "furnished"
    props: tuple[Prop, ...] = ()
    nuisance: Nuisance = field(default_factory=Nuisance)
    size: tuple[int, int] = (640, 360)
    focal_px: float = 440.0
    frame_rate: tuple[int, int] = (30, 1)

    @property
    def intrinsics(self) -> tuple[float, float, float, float]:
        """fx, fy, cx, cy in px, pixel centres at half-integers."""
        return (self.focal_px, self.focal_px, self.size[0] / 2, self.size[1] / 2)
