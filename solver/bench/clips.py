"""A clip to measure on: a folder with a truth, the suites there are, and what is handed to the product in each mode."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import truth
from .truth import Truth

_BUILT = Path(__file__).resolve().parents[2] / "build" / "bench"
# "test" is what is reported; "validation" is what weights and thresholds may be chosen on
SUITES = {"test": _BUILT / "clips", "validation": _BUILT / "clips-validation"}


@dataclass(frozen=True)
class BenchClip:
    """Attributes:
    folder: holds ``truth.npz`` and ``camera.npz`` (as ``solver solve --camera`` takes it).
    source: the movie or the folder of images.
    about: one sentence, "" if unknown.
    arguments: of the solver, that belong to the source.
    """

    folder: Path
    source: Path
    about: str
    arguments: tuple[str, ...]
    truth: Truth

    @property
    def name(self) -> str:
        return self.folder.name


def find(root: Path) -> list[Path]:
    """The clip folders under ``root``."""
    return sorted(path.parent for path in root.glob("*/truth.npz"))


def load(folder: Path) -> BenchClip:
    """A folder of ``tools/truth`` (``clip.mp4``, ``spec.json``) or of a loader (``source.json``)."""
    known = truth.load(folder / "truth.npz")
    elsewhere = folder / "source.json"
    if not elsewhere.exists():
        spec = folder / "spec.json"
        about = json.loads(spec.read_text(encoding="utf-8"))["about"] if spec.exists() else ""
        return BenchClip(folder, (folder / "clip.mp4").resolve(), about, (), known)
    described = json.loads(elsewhere.read_text(encoding="utf-8"))
    arguments = ("--frame-rate", f"{known.frame_rate:g}", "--frames", *map(str, (known.frames[0], known.frames[-1])))
    return BenchClip(folder, Path(described["source"]), described["about"], arguments, known)


@dataclass(frozen=True)
class Mode:
    """A way to run the product on a clip.

    Attributes:
        title: for a table's row.
        given: what it is told beside the clip; modes that are told the same stand in one table.
        arguments: of the solver, for a clip.
    """

    title: str
    given: str
    arguments: Callable[[BenchClip], tuple[str, ...]]


def _camera(clip: BenchClip) -> tuple[str, ...]:
    return ("--camera", str((clip.folder / "camera.npz").resolve()))


def _hand(clip: BenchClip) -> tuple[str, ...]:
    return ("--hand-length", f"{clip.truth.hand_length():.4f}")


_EACH_FRAME_FOR_ITSELF = ("--quality", "initial")
ALONE, CAMERA, HAND = "Nothing but the clip", "The true camera", "The true camera and the length of the hand"

MODES: dict[str, Mode] = {
    "as-is": Mode("Handheld", ALONE, lambda clip: ()),
    "per-frame": Mode("per frame", ALONE, lambda clip: _EACH_FRAME_FOR_ITSELF),
    "camera": Mode("Handheld", CAMERA, _camera),
    "camera-per-frame": Mode("per frame", CAMERA, lambda clip: (*_camera(clip), *_EACH_FRAME_FOR_ITSELF)),
    "camera-hand": Mode("Handheld", HAND, lambda clip: (*_camera(clip), *_hand(clip))),
}
