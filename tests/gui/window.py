"""What scripts that drive Blender's window have in common: areas, pictures, clicks, a scripted solver, the end."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import bpy

WORK, REPOSITORY = Path("/session"), Path("/repository")
MODULE = "bl_ext.user_default.handheld"
PATIENCE_SECONDS = 120.0

bpy.context.preferences.view.show_splash = False
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "addon")]


class _Errors(io.TextIOBase):
    """Stderr that also remembers: Blender prints what a panel's draw raises, and goes on."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return sys.__stderr__.write(text)


errors = sys.stderr = _Errors()


def install() -> None:
    folder = WORK / "home/blender/extensions/user_default"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "handheld").exists():
        (folder / "handheld").symlink_to(REPOSITORY, target_is_directory=True)
    bpy.ops.preferences.addon_enable(module=MODULE)


def begin() -> None:
    """The extension in an empty scene, with the repository's own solver."""
    install()
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    command = [str(REPOSITORY / ".venv/bin/python"), "-I", str(REPOSITORY / "solver/launch.py"), "serve"]
    addon("solve").command = lambda context: command


def addon(name: str):
    return sys.modules[f"{MODULE}.addon.{name}"]


def window() -> bpy.types.Window:
    return bpy.context.window_manager.windows[0]


def area(kind: str) -> bpy.types.Area:
    return max((a for a in window().screen.areas if a.type == kind), key=lambda a: a.width * a.height)


def region(kind: str, of: str = "UI") -> bpy.types.Region:
    return next(r for r in area(kind).regions if r.type == of)


def invoke(operator, kind: str = "VIEW_3D", **options) -> set[str]:
    """As a button would call it, which draws the editor again: panels slide to their places while a script waits."""
    with bpy.context.temp_override(window=window(), area=area(kind), region=region(kind, "WINDOW")):
        result = operator("INVOKE_DEFAULT", **options)
    for shown in window().screen.areas:
        shown.tag_redraw()
    return result


def picture(name: str) -> None:
    # Blender's own screenshot is black on a software display
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
    subprocess.run(["scrot", "-o", str(WORK / f"{name}.png")], check=True)


def click(x: int, y: int) -> None:
    """A press that lasts as long as a person's; x, y from the window's lower left."""
    y = window().height - y
    moves = f"mousemove {x} {y} sleep 0.5 mousemove_relative 3 -3 sleep 0.5 mousedown 1 sleep 0.3 mouseup 1"
    subprocess.Popen(["xdotool", *moves.split()])


def until(reached) -> Iterator[float]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the state was not reached: {addon('solve').current()}")
        yield 0.1


def running() -> bool:
    return addon("solve").is_running()


def hands() -> list[bpy.types.Object]:
    return [o for o in bpy.context.scene.objects if o.handheld.role == "HAND"]


def play(script: str, take) -> None:
    """Let the scripted process stand for the solver from now on."""
    from solver import take as takes

    path = WORK / "scripted.npz"
    takes.save(take, path)
    child = REPOSITORY / "tests/addon/scripted_solver.py"
    command = ["/usr/bin/python3", "-I", str(child), str(REPOSITORY), script, str(path)]
    addon("solve").command = lambda context: command


def open_sidebar(kind: str) -> Iterator[float]:
    area(kind).spaces[0].show_region_ui = True
    yield 0.5
    region(kind).active_panel_category = "Handheld"
    yield 0.5


def run(steps: Iterator[float]) -> None:
    """Go through the steps, each of which yields the seconds to wait; then write ``result.txt`` and close Blender."""

    def tick() -> float | None:
        try:
            return next(steps)
        except StopIteration:
            result = errors.text if "Traceback" in errors.text else "passed"
        except Exception:  # noqa: BLE001 - the window must close, whatever a check raised
            result = traceback.format_exc()
        (WORK / "result.txt").write_text(result)
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(tick, first_interval=0.5, persistent=True)
