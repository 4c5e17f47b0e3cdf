"""Within Blender: install the extension from its zip, open a clip, solve it by the extension's operators, save.

Run by ``tools/demo.py`` as ``python -I solve_clip.py ARCHIVE CLIP BLEND``. Lines that begin with ``PROGRESS``,
``PROBLEM`` or ``REPORT`` are for the caller; everything else is Blender's log.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.handheld"
TICK_SECONDS = 1.0


def main(archive: str, clip: str, blend: str) -> dict[str, str]:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.context.preferences.filepaths.save_version = 0
    print("PROGRESS Installing the extension", flush=True)
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    bpy.ops.handheld.open_clip(filepath=clip)
    bpy.ops.handheld.match_scene()
    # the take goes beside the .blend
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    session = _solve()
    bpy.ops.wm.save_mainfile()
    extension = Path(bpy.utils.user_resource("EXTENSIONS")) / "user_default" / "handheld"
    return {"take": session.take_path, "summary": session.summary, "extension": str(extension)}


def _solve():
    """Run the operator, which blocks, while a thread that touches no bpy tells how far it is."""
    solve = sys.modules[f"{MODULE}.addon.solve"]
    ended = threading.Event()
    teller = threading.Thread(target=_tell, args=(solve, ended))
    teller.start()
    try:
        bpy.ops.handheld.solve()
    finally:
        ended.set()
        teller.join()
    return solve.current()


def _tell(solve, ended: threading.Event) -> None:
    said = ""
    while not ended.wait(TICK_SECONDS):
        session = solve.current()
        line = f"{session.stage}: {session.done} of {session.total}" if session and session.total else said
        if line != said:
            print(f"PROGRESS {line}", flush=True)
            said = line


def _leave(status: int) -> None:
    """Some versions of the module hang or crash while they shut down."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    try:
        print("REPORT " + json.dumps(main(*sys.argv[1:])), flush=True)
    except RuntimeError as error:  # an operator's error report
        print(f"PROBLEM {error}", flush=True)
        _leave(1)
    _leave(0)
