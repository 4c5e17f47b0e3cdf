"""What a camera solve has to tell a person, in words."""

from __future__ import annotations

from collections.abc import Sequence

from .cameras import CameraNote, ScaleEstimate
from .scale import LevelReading

UNDETERMINED, UP_GUESSED = "camera-scale-undetermined", "camera-up-guessed"

_ZOOM_REPAIR = "Bring a solved camera with its own focal length in every frame, or cut the clip where the zoom begins."
_MASK_REPAIR = "Mark what moves (hands, people, held things) as hands or mask it, or bring a solved camera."


def nothing_to_track() -> CameraNote:
    return CameraNote(
        "camera-nothing-to-track",
        "Behind the hands there is too little background to tell how the camera moved; it is assumed to stand still.",
        "If the camera moved, bring a solved camera.",
    )


def not_solved(reason: str) -> CameraNote:
    return CameraNote(
        "camera-not-solved",
        f"The camera travels, but where it went could not be solved ({reason}); only its turning is used.",
        "Bring a solved camera, or track the clip in Blender's Movie Clip Editor and solve it there.",
    )


def zooms() -> CameraNote:
    return CameraNote(
        "camera-zooms",
        "The lens zooms while the camera stands nearly still; one focal length is assumed for all frames, so the "
        "hands' distances are wrong where it differs.",
        _ZOOM_REPAIR,
    )


def zooms_on_the_way(percent: float) -> CameraNote:
    return CameraNote(
        "camera-zooms",
        f"The lens zooms while the camera travels, by {percent:.0f} % or more: taken by themselves, parts of the clip "
        "differ so much in focal length. One is assumed for all frames, so the path is wrong where it differs.",
        _ZOOM_REPAIR,
    )


def interlaced() -> CameraNote:
    return CameraNote(
        "camera-interlaced",
        "The clip is interlaced: every second line shows another moment, which no camera path fits.",
        "Deinterlace the clip first, and solve that.",
    )


def no_mapper() -> CameraNote:
    return CameraNote(
        "camera-light-build",
        "The camera travels, but this build has no solver for that; only its turning is used.",
        "Install the full build, or bring a solved camera.",
    )


def low_parallax() -> CameraNote:
    return CameraNote(
        "camera-low-parallax",
        "The camera hardly travels against the distance of what it sees, so its path is weakly determined.",
        "Compare the path with the plate; lock the camera to turning alone if it should be on a tripod.",
    )


def bridged(count: int, total: int) -> CameraNote:
    return CameraNote(
        "camera-bridged",
        f"In {count} of {total} frames the camera could not be solved; it is carried over them from its neighbours.",
        "Look at the frames marked as bridged, and correct the camera's keys there.",
    )


def guessed_joins(count: int) -> CameraNote:
    return CameraNote(
        "camera-joined-by-guess",
        f"The path is made of {count + 1} pieces that share no points; their relative sizes are a guess.",
        "Set the scale of each stretch, or bring a solved camera.",
    )


def points_contradict(moving_percent: float, percent: float, degrees: float) -> CameraNote:
    return CameraNote(
        "camera-points-contradict",
        f"{moving_percent:.0f} % of what was followed outside the hands fits no still world, and parts of the "
        f"picture tell different paths: the camera may be off by about {percent:.1f} % of its path and {degrees:.1f} "
        "degrees, or by more where something that moves was taken for background.",
        _MASK_REPAIR,
    )


def focal_assumed(focal_px: float, longer_px: int) -> CameraNote:
    return CameraNote(
        "camera-focal-assumed",
        f"The clip doesn't tell its focal length; a full-frame equivalent of {36 * focal_px / longer_px:.0f} mm is "
        "assumed.",
        "Enter the focal length, if you know it.",
    )


def focal_uncertain(focal_px: float, longer_px: int, percent: float) -> CameraNote:
    return CameraNote(
        "camera-focal-uncertain",
        f"The focal length, {36 * focal_px / longer_px:.1f} mm (full-frame equivalent), is only known to about "
        f"{percent:.0f} %.",
        "Enter the focal length, if you know it.",
    )


def cuts(rows: list[int]) -> CameraNote:
    frames = ", ".join(str(row) for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
    return CameraNote(
        "camera-cuts",
        f"The clip is cut at frame {frames}: each shot is solved by itself, in a world of its own.",
        "Solve one shot at a time by its frame range.",
    )


def up_guessed(degrees: float) -> CameraNote:
    return CameraNote(
        UP_GUESSED,
        "Which way is up can't be told from this clip, whose straight edges are too few or contradict each other; by "
        f"the way cameras are held it may be {degrees:.0f} degrees off.",
        "Set the floor by three points that lie on it, if the world should stand upright.",
    )


def scale_undetermined(scale: ScaleEstimate, readings: Sequence[LevelReading] = ()) -> CameraNote:
    return CameraNote(
        UNDETERMINED,
        "How large the camera's path is can't be told from this clip, as no hand is seen to rest on anything for long "
        f"enough; the guess may be {1 / scale.low:.1f} times too large or {scale.high:.1f} times too small."
        + "".join(f" {_reading(one, one is readings[0])}" for one in readings),
        "Set a known length, or the camera's height over the floor (some 1.5 m if whoever filmed stood, 1.2 m if "
        "seated), or slide the scale until the hands stay on what they touch.",
    )


def _reading(one: LevelReading, is_first: bool) -> str:
    what = "the floor" if one.is_floor else "a table or the like"
    if is_first:
        return f"It takes the level surface in view for {what}, {one.below_m:.1f} m below the camera."
    return f"If that is {what}, {one.below_m:.1f} m below, all is {one.factor:.1f} times as large as shown."


def size_not_used() -> CameraNote:
    return CameraNote(
        "camera-size-not-used",
        "The known length or camera height changes nothing: the camera does not travel, or its path came in metres.",
        "Give the hand's length if the hands are too near or too far.",
    )


def not_along(parts: list[str]) -> CameraNote:
    return CameraNote(
        "camera-not-along",
        f"Of this camera, {' and '.join(parts)} can't be solved together with the hands: it stands still, doesn't "
        "travel, or was given.",
        "Nothing needs to be done; it stays as it is.",
    )
