"""Runs inside Blender's window: brings the panels into every state, takes a picture of each, and checks what it can.

``blender --factory-startup --python drive.py``; pictures and ``result.txt`` go to /session.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from window import (
    MODULE,
    WORK,
    addon,
    area,
    click,
    hands,
    install,
    invoke,
    open_sidebar,
    picture,
    play,
    region,
    run,
    running,
    until,
    window,
)  # noqa: E402


def steps() -> Iterator[float]:
    from movies import write_movie
    from takes import moving_take

    yield 1.0
    install()
    take = moving_take(frames=60, intrinsics=np.array([560.0, 560.0, 320.0, 180.0]))
    yield from open_sidebar("VIEW_3D")
    picture("1_nothing_loaded")

    clip = write_movie(WORK / "two hands ü.mp4", frames=60, size=(640, 360))
    # what dropping the file does: Blender asks which of two add-ons shall have it
    assert invoke(bpy.ops.wm.drop_import_file, directory=f"{WORK}/", files=[{"name": clip.name}]) == {"INTERFACE"}
    yield 0.5
    picture("2_dropped")
    subprocess.run(["xdotool", "key", "o"], check=True)
    yield from until(lambda: bpy.context.scene.handheld.clip is not None)
    yield 0.7
    picture("2_match_dialog")
    assert bpy.context.scene.render.resolution_x == 1920  # asked, not done
    bpy.ops.handheld.match_scene()
    yield 0.3

    area("VIEW_3D").spaces[0].shading.color_type = "MATERIAL"
    sidebar = region("VIEW_3D")
    click(sidebar.x + sidebar.width // 2 - 10, sidebar.y + sidebar.height - 250)  # away with the dialog
    yield 2.0
    picture("3_ready")

    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    with bpy.context.temp_override(window=window(), area=area("VIEW_3D"), region=region("VIEW_3D", "WINDOW")):
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.ed.undo_push(message="Before the solve")
    play("slow", take)
    assert invoke(bpy.ops.handheld.solve) == {"RUNNING_MODAL"}
    yield from until(lambda: len(hands()) == 2 and addon("solve").current().done > 30)
    picture("4_running")
    assert not bpy.ops.handheld.solve.poll()
    assert cube.mode == "EDIT"  # the artist goes on working
    bpy.ops.handheld.cancel()
    yield from until(lambda: not running())
    yield 0.5
    picture("5_cancelled")
    assert len(hands()) == 2 and cube.mode == "EDIT"
    with bpy.context.temp_override(window=window(), area=area("VIEW_3D"), region=region("VIEW_3D", "WINDOW")):
        bpy.ops.ed.undo()
    yield 0.5
    assert not hands(), "one undo step takes the whole solve back"
    with bpy.context.temp_override(window=window(), area=area("VIEW_3D"), region=region("VIEW_3D", "WINDOW")):
        bpy.ops.ed.redo()
    yield 0.5
    assert len(hands()) == 2
    with bpy.context.temp_override(window=window(), area=area("VIEW_3D"), region=region("VIEW_3D", "WINDOW")):
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.data.objects.remove(bpy.data.objects["Cube"])

    play("finish", take)
    bpy.ops.handheld.dismiss()
    yield 0.5
    solve_button = region("VIEW_3D")
    click(solve_button.x + solve_button.width // 2 - 10, solve_button.y + solve_button.height - 128)
    yield from until(lambda: addon("solve").current() is not None)
    yield from until(lambda: not running())
    bpy.context.scene.frame_set(40)
    yield 0.5
    picture("6_finished")
    invoke(bpy.ops.view3d.view_camera)
    yield 1.0
    picture("7_through_the_camera")

    play("die", take)
    assert invoke(bpy.ops.handheld.solve) == {"RUNNING_MODAL"}
    yield from until(lambda: not running())
    yield 1.5
    picture("8_failed")
    assert len(hands()) == 2 and bpy.context.scene.camera is not None

    area("VIEW_3D").ui_type = "CLIP_EDITOR"
    yield 0.5
    write_movie(WORK / "another.mp4", size=(320, 180))
    area("CLIP_EDITOR").spaces[0].clip = bpy.data.movieclips.load(str(WORK / "another.mp4"))
    yield from open_sidebar("CLIP_EDITOR")
    picture("9_clip_editor")
    invoke(bpy.ops.wm.drop_import_file, "CLIP_EDITOR", directory=f"{WORK}/", files=[{"name": clip.name}])
    yield 0.5
    assert area("CLIP_EDITOR").spaces[0].clip == bpy.context.scene.handheld.clip
    assert bpy.path.basename(bpy.context.scene.handheld.clip.filepath) == clip.name
    area("CLIP_EDITOR").ui_type = "VIEW_3D"
    yield 0.5
    yield from open_sidebar("VIEW_3D")

    play("slow", take)
    invoke(bpy.ops.handheld.solve)
    yield from until(lambda: addon("solve").current().done > 5)
    process = addon("solve").current()._process
    module_folder = sys.modules[MODULE]
    bpy.ops.preferences.addon_disable(module=MODULE)
    yield 0.5
    assert not process.is_alive and not hasattr(bpy.types.Scene, "handheld") and module_folder
    bpy.ops.preferences.addon_enable(module=MODULE)
    yield 0.5

    play("slow", take)
    invoke(bpy.ops.handheld.solve)
    yield from until(lambda: addon("solve").current().done > 5)
    process = addon("solve").current()._process
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    yield 1.0
    assert not process.is_alive and addon("solve").current() is None

    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "Handheld"
    bpy.ops.screen.userpref_show()
    yield 0.7
    bpy.ops.preferences.addon_expand(module=MODULE)
    yield 0.7
    picture("10_preferences")


run(steps())
