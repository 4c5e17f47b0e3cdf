"""The hands of a take over any of its frames, in one of several styles."""

from __future__ import annotations

import enum

import cv2
import numpy as np

from .. import take as takes
from ..camera.distortion import distort, undistort
from ..errors import SolverError
from ..hand_model import loading
from ..hand_model.model import HandModel
from ..silhouette.crop import SIZE
from ..silhouette.evidence import MaskMaker
from ..silhouette.masks import region_of
from ..silhouette.matching import Evidence
from ..silhouette.of_take import hands_of, seen_in
from ..silhouette.outlines import PosedHands, overlap
from ..video import Clip
from .draw import Surface, paint, trace

COLOURS = {"left": (90, 150, 235), "right": (240, 140, 70)}
GOOD, POOR = (70, 200, 90), (230, 50, 40)
# of the share that both hand and mask cover: what counts as poor throughout, and as good throughout
POOR_SHARE, GOOD_SHARE = 0.6, 0.95
_ONLY_HAND, _ONLY_MASK, _TINT = (230, 50, 40), (50, 90, 240), 0.6


class Style(enum.Enum):
    """How hands are shown: shaded, as outlines, tinted by how sure they are, or where they and the plate differ."""

    FILLED = "filled"
    OUTLINE = "outline"
    CONFIDENCE = "confidence"
    DIFFERENCE = "difference"


class TakeDrawing:
    """The hands of a take, ready to be painted over any of its frames.

    Raises:
        SolverError: ``hand-model-changed``.
    """

    def __init__(self, take: takes.Take, model: str = "auto", style: Style = Style.FILLED) -> None:
        self._take, self._style = take, style
        self._models = {side: loading.load(side, model) for side in set(take.sides)}
        self._check_models(self._models)
        self._hands = [self._models[side].with_shape(betas) for side, betas in zip(take.sides, take.betas, strict=True)]
        self._masks: MaskMaker | None = None
        self._posed: PosedHands | None = None

    def _check_models(self, models: dict[str, HandModel]) -> None:
        if any(model.name != self._take.model for model in models.values()):
            raise SolverError(
                "hand-model-changed",
                f"The take was solved with the hand model {self._take.model!r}.",
                "Choose that hand model, or solve the clip again.",
            )

    def prepare(self, clip: Clip) -> None:
        """What the style needs to know of the whole clip beforehand: for differences, the skin's colours."""
        if self._style is Style.DIFFERENCE:
            take = self._take
            self._posed = hands_of(take, self._models)
            self._masks = MaskMaker(self._posed, take.camera(), take.size, int(take.frames[0]), seen=seen_in(take))
            self._masks.learn(clip)

    def surfaces(self, frame: int, opacity: float = 0.75) -> list[Surface]:
        """The hands present in a frame of the clip, in that frame's camera."""
        take, row = self._take, int(frame - self._take.frames[0])
        camera_from_world = np.linalg.inv(take.world_from_camera[row])
        found = []
        for hand, side in enumerate(take.sides):
            if take.status[hand, row] == takes.MISSING:
                continue
            posed = self._hands[hand].pose(take.rotations[hand, row], take.transl[hand, row])
            vertices = posed.vertices() @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
            faces = self._hands[hand].model.watertight_faces
            found.append(Surface(vertices, faces, self._colour(hand, row, side), opacity))
        return found

    def _colour(self, hand: int, row: int, side: str) -> tuple[int, int, int]:
        if self._style is not Style.CONFIDENCE:
            return COLOURS[side]
        return tinted(surety(self._take)[hand, row])

    def over(self, image: np.ndarray, frame: int) -> np.ndarray:
        """The plate of a frame with its hands painted over it."""
        surfaces, take = self.surfaces(frame), self._take
        if self._style is Style.DIFFERENCE:
            image = self._with_differences(image, frame)
        if self._style in (Style.OUTLINE, Style.DIFFERENCE):
            return trace(image, surfaces, take.intrinsics, self._bend)
        return paint(image, surfaces, take.intrinsics, self._bend)

    def _bend(self, pixels: np.ndarray) -> np.ndarray:
        take = self._take
        return distort(pixels, take.intrinsics, take.distortion, take.distortion_model)

    def _with_differences(self, image: np.ndarray, frame: int) -> np.ndarray:
        """The plate with what only the hand covers in red, what only its mask covers in blue."""
        canvas = image.copy()
        for hand, seen in self._masks.look(frame, image):
            if seen is None or not seen.trust > 0:
                continue
            view = self._posed.view(hand, seen.crop)
            label = np.where(view.owner >= 0, 1, 0) - np.where(seen.inside, 1, 0)
            region = region_of(view, seen.unknown)
            label[seen.unknown | region.arm | ~_near(view.owner == 0)] = 0
            self._lay(canvas, label, seen)
            _write(canvas, overlap(self._posed, hand, seen), self._bend(self._posed.project(hand)))
        return canvas

    def _lay(self, canvas: np.ndarray, label: np.ndarray, seen: Evidence) -> None:
        """Put a crop's labels (SIZE, SIZE), 1 or -1, onto the picture."""
        low = np.clip(np.floor(seen.crop.origin_px).astype(int), 0, canvas.shape[1::-1])
        high = np.clip(np.ceil(seen.crop.origin_px + SIZE / seen.crop.scale).astype(int), 0, canvas.shape[1::-1])
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        pixels = np.stack([x, y], axis=-1) + 0.5
        take = self._take
        if np.any(take.distortion):
            pixels = undistort(pixels, take.intrinsics, take.distortion, take.distortion_model)
        place = np.floor(seen.crop.inside(pixels)).astype(int)
        inside = ((place >= 0) & (place < SIZE)).all(-1)
        found = np.where(inside, label[tuple(np.clip(place[..., ::-1], 0, SIZE - 1).transpose(2, 0, 1))], 0)
        part = canvas[low[1] : high[1], low[0] : high[0]]
        for sign, colour in ((1, _ONLY_HAND), (-1, _ONLY_MASK)):
            chosen = found == sign
            part[chosen] = np.rint((1 - _TINT) * part[chosen] + _TINT * np.array(colour)).astype(np.uint8)


def _near(hand: np.ndarray) -> np.ndarray:
    """Within a tenth of the crop of the hand: the arm beyond is nobody's."""
    return cv2.dilate(hand.astype(np.uint8), np.ones((SIZE // 8, SIZE // 8))) > 0


def _write(canvas: np.ndarray, share: float, hand_px: np.ndarray) -> None:
    """The share above the hand (V, 2), or as near to that as the picture goes."""
    text, scale = f"{share:.0%}", max(canvas.shape[0] / 900, 0.4)
    line = max(round(2 * scale), 1)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, line)
    low, high = hand_px.min(0), hand_px.max(0)
    corner = np.array([(low[0] + high[0] - width) / 2, low[1] - height])
    x, y = np.clip(corner, [2, height + 2], np.array(canvas.shape[1::-1]) - [width + 2, 4]).astype(int).tolist()
    for colour, thick in (((0, 0, 0), line + 2), (tinted(share), line)):
        cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)


def surety(take: takes.Take) -> np.ndarray:
    """(H, T) how well each hand covers its mask where that is known, else its confidence."""
    if not take.outline_overlap.size:
        return take.confidence
    return np.where(np.isfinite(take.outline_overlap), take.outline_overlap, take.confidence)


def tinted(share: float) -> tuple[int, int, int]:
    """From red to green."""
    part = float(np.clip((share - POOR_SHARE) / (GOOD_SHARE - POOR_SHARE), 0.0, 1.0))
    return tuple(round((1 - part) * poor + part * good) for poor, good in zip(POOR, GOOD, strict=True))
