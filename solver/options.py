"""What the person may choose of a solve, and what of it makes no sense."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import optimise
from .camera import formats
from .camera.distortion import COEFFICIENTS
from .camera.known_sizes import KnownLength, KnownSizes
from .errors import SolverError

INITIAL = "initial"  # quality: no optimisation
_OF_THE_OPTIMISER = ("without", "along", "prior", "render")
_NUMBERS = ("focal_px", "hand_length_m", "camera_height_m", "world_scale", "camera_offset")
_PATHS = ("camera", "world", "cache", "prior", "model")
_LISTS = ("distortion", "hand_boxes", "hand_edits", "without", "along")
_OF_NUMBERS = ("frame_range", "intrinsics", "distortion", "camera_rate", "frame_rate", "known_length")
LONG_GAPS = ("absent", "rest")
CAMERA_MOTIONS = ("auto", "static")
SOLVED_ALONG = ("poses", "focal", "scale")
HAND_LENGTHS_M = (0.02, 1.0)  # what lies outside was meant in another unit


@dataclass(frozen=True)
class SolveOptions:
    """What the person may choose.

    Attributes:
        frame_range: first and last frame to solve, inclusive, in the clip's own numbers; None for all.
        focal_px: focal length in px of the clip; None when unknown.
        intrinsics: fx, fy, cx, cy in px of the clip, when they are known; then focal_px says nothing more.
        distortion, distortion_model: the known lens's (see ``camera.distortion``); zeros when unknown.
        camera: path of a solved camera (see ``camera.formats``); None to solve it here.
        camera_offset: frames of the clip added to that camera's frame numbers.
        camera_rate: its frame rate (numerator, denominator); None for the clip's.
        camera_scale: metres per unit of it; "hands" to find that by the hands, "auto" where the file is not in metres.
        camera_order: of the turns in a .chan file, the first that is made first.
        world: path of a camera file in whose world the result is to stand (see ``camera.world``); None for any.
        world_scale: set when that world's size is measured and kept: how much larger it is than the last take.
        camera_motion: "auto" finds out how the camera moves, "static" says that it stands still.
        model: "auto", "open", or the path of the user's own MANO files.
        quality: "draft", "balanced" or "final" (see ``optimise.PRESETS``), or "initial" for the per-frame fit alone.
        hand_length_m: known length wrist to middle fingertip; None for the population's.
        known_length: (frame, x0, y0, x1, y1, metres): a length in the scene between two places of a frame's picture, in
            px of the clip; None when none was measured. It sets the size of a travelling camera's world.
        camera_height_m: of the camera over the floor (or a table in view) on average, likewise; weighed with
            a known length.
        frame_rate: (numerator, denominator) of an image sequence; None for the movie's own.
        hand_boxes: hands that the person pointed out: (frame, x0, y0, x1, y1, side or "") in px of the clip.
        hand_edits: (frame, x, y, "drop" or "swap") of the hand nearest to a place, see ``hands.edits``.
        cache: folder for stage results; None keeps nothing.
        masks: the artist's, which hold the hands in every quality: path by what it is of (``silhouette.mattes``).
        without: parts of the optimiser to leave out (see ``optimise.parts``), to see what they are worth.
        prior: path of a trained motion prior for what is hidden (see ``prior.learned``); None for none.
        render: after the outlines, hold the hands as rendered to their masks, pixel by pixel (``solver.rendering``).
        along: what of the camera is solved together with the hands, from its own solve and as far as that is unsure:
            "poses", "focal", "scale". Nothing of it moves otherwise, nor where it was given.
        long_gaps: a hand that is out of sight for too long to be invented is "absent", or put to "rest".
    """

    frame_range: tuple[int, int] | None = None
    focal_px: float | None = None
    intrinsics: tuple[float, float, float, float] | None = None
    distortion: tuple[float, ...] = ()
    distortion_model: str = "POLYNOMIAL"
    camera: str | None = None
    camera_offset: float = 0.0
    camera_rate: tuple[int, int] | None = None
    camera_scale: float | str = "auto"
    camera_order: str = "ZXY"
    world: str | None = None
    world_scale: float | None = None
    camera_motion: str = "auto"
    model: str = "auto"
    quality: str = "balanced"
    hand_length_m: float | None = None
    known_length: tuple[float, ...] | None = None
    camera_height_m: float | None = None
    frame_rate: tuple[int, int] | None = None
    hand_boxes: tuple[tuple[Any, ...], ...] = ()
    hand_edits: tuple[tuple[Any, ...], ...] = ()
    cache: str | None = None
    masks: dict[str, str] | None = None
    without: tuple[str, ...] = ()
    prior: str | None = None
    long_gaps: str = "absent"
    along: tuple[str, ...] = ()
    render: bool = False

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> SolveOptions:
        """Raises TypeError for a name that is no option."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})

    def require_valid(self) -> None:
        """Raises SolverError ``option-not-valid``, naming the option."""
        choices = {
            "quality": (INITIAL, *optimise.PRESETS),
            "camera_motion": CAMERA_MOTIONS,
            "long_gaps": LONG_GAPS,
            "camera_order": formats.chan.ORDERS,
            "distortion_model": tuple(COEFFICIENTS),
        }
        self._require_kinds()
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise _not_valid(name, getattr(self, name), f"one of {', '.join(known)}")
        if self.intrinsics is not None and not (len(self.intrinsics) == 4 and min(self.intrinsics[:2]) > 0):
            raise _not_valid("intrinsics", self.intrinsics, "fx, fy, cx and cy in px")
        if self.distortion and self.intrinsics is None:
            raise _not_valid("distortion", self.distortion, "together with intrinsics, or leave it out")
        if len(self.distortion) > COEFFICIENTS[self.distortion_model]:
            most = COEFFICIENTS[self.distortion_model]
            raise _not_valid("distortion", self.distortion, f"at most {most} numbers for {self.distortion_model}")
        for name in ("focal_px", "hand_length_m", "camera_height_m", "world_scale"):
            if getattr(self, name) is not None and not 0 < getattr(self, name) < math.inf:
                raise _not_valid(name, getattr(self, name), "a number above 0")
        self._require_valid_sizes()
        for name in ("frame_rate", "camera_rate"):
            if getattr(self, name) is not None and not min(getattr(self, name)) > 0:
                raise _not_valid(name, getattr(self, name), "a rate above 0")
        for part in self.along:
            if part not in SOLVED_ALONG:
                raise _not_valid("along", part, f"any of {', '.join(SOLVED_ALONG)}")
        if self.quality == INITIAL:
            self._require_nothing_of_the_optimiser()
        else:
            known = optimise.parts.names(optimise.PRESETS[self.quality])
            for part in self.without:
                if part not in known:
                    raise _not_valid("without", part, f"any of {', '.join(known)}")
        scale = self.camera_scale
        if not (scale in ("auto", "hands") or isinstance(scale, int | float) and 0 < scale < math.inf):
            raise _not_valid("camera_scale", scale, 'a number above 0, "hands" or "auto"')

    def _require_kinds(self) -> None:
        """Of what comes as JSON, where it would end in a crash much later."""
        for name in _NUMBERS:
            if not isinstance(getattr(self, name), int | float | None):
                raise _not_valid(name, getattr(self, name), "a number")
        for name in _PATHS:
            if not isinstance(getattr(self, name), str | None):
                raise _not_valid(name, getattr(self, name), "a path")
        for name in _LISTS:
            if not isinstance(getattr(self, name), tuple):
                raise _not_valid(name, getattr(self, name), "a list")
        for name in _OF_NUMBERS:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, tuple) and all(isinstance(v, int | float) for v in value)):
                raise _not_valid(name, value, "a list of numbers")
        if not isinstance(self.masks, dict | None):
            raise _not_valid("masks", self.masks, "paths by what they mask")
        entries = ("hand_boxes", 6, "frame, x0, y0, x1, y1 and side"), ("hand_edits", 4, "frame, x, y and what")
        for name, length, of in entries:
            if not all(isinstance(entry, list | tuple) and len(entry) == length for entry in getattr(self, name)):
                raise _not_valid(name, getattr(self, name), f"entries of {of}")
        for name in ("frame_range", "frame_rate", "camera_rate"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, tuple) and len(value) == 2):
                raise _not_valid(name, value, "two numbers")
        self._require_whole_frames()
        if self.cache and Path(self.cache).is_file():
            raise _not_valid("cache", self.cache, "a folder; this is a file")

    def _require_whole_frames(self) -> None:
        """A part of a frame would be cut off without a word."""
        length = self.known_length
        frames = {
            "frame_range": self.frame_range or (),
            "known_length": length[:1] if length else (),
            "hand_boxes": [entry[0] for entry in self.hand_boxes],
            "hand_edits": [entry[0] for entry in self.hand_edits],
        }
        for name, numbers in frames.items():
            for number in numbers:
                if not (isinstance(number, int | float) and float(number).is_integer()):
                    raise _not_valid(name, number, "whole frame numbers")

    def _require_nothing_of_the_optimiser(self) -> None:
        for name in _OF_THE_OPTIMISER:
            if getattr(self, name):
                sentence = f"The option {name} (--{name}) has no effect in quality initial, which optimises nothing."
                raise SolverError("option-not-valid", sentence, "Leave it out, or choose draft, balanced or final.")

    def _require_valid_sizes(self) -> None:
        shortest, longest = HAND_LENGTHS_M
        if self.hand_length_m is not None and not shortest <= self.hand_length_m <= longest:
            raise _not_valid("hand_length_m", self.hand_length_m, f"metres between {shortest} and {longest}")
        length = self.known_length
        if length is not None and not (len(length) == 6 and all(map(math.isfinite, length)) and length[5] > 0):
            raise _not_valid("known_length", length, "frame, x0, y0, x1, y1 and metres above 0")

    def known_sizes(self) -> KnownSizes:
        """What was measured, as the camera's stage takes it."""
        length = None
        if self.known_length is not None:
            frame, x0, y0, x1, y1, metres = self.known_length
            length = KnownLength(int(frame), (x0, y0), (x1, y1), metres)
        return KnownSizes(self.hand_length_m is not None, self.camera_height_m, length)

    def to_json(self) -> dict[str, Any]:
        """What ``from_json`` reads."""
        return dataclasses.asdict(self)


def _not_valid(name: str, value: Any, wanted: str) -> SolverError:
    """Named as in requests, and as on the command line: without unit, with hyphens."""
    flag = name.removesuffix("_px").removesuffix("_m").replace("_", "-")
    return SolverError("option-not-valid", f"The option {name} (--{flag}) can't be {value!r}.", f"Give it {wanted}.")
