"""Runs inside Blender's window: the Outlines panel in its states, overlays drawn by the real solver, a picture of each.

Needs WORK/clip.mp4 and its take of quality Final, WORK/take.npz (``python -m solver solve``); see ``drive.py`` for the
rest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))

from window import WORK, area, begin, invoke, open_sidebar, picture, run, until  # noqa: E402


def steps() -> Iterator[float]:
    yield 1.0
    begin()
    panel = bpy.types.HANDHELD_PT_clip_outlines
    bpy.utils.unregister_class(panel)
    panel.bl_options = set()  # open
    bpy.utils.register_class(panel)
    area("VIEW_3D").type = "CLIP_EDITOR"
    yield 0.5
    yield from open_sidebar("CLIP_EDITOR")
    clip = bpy.data.movieclips.load(str(WORK / "clip.mp4"))
    bpy.context.scene.handheld.clip = area("CLIP_EDITOR").spaces[0].clip = clip
    bpy.ops.handheld.match_scene()
    yield 0.5
    picture("o1_masks_to_choose")

    settings = bpy.context.scene.handheld_outlines
    settings.mask = bpy.data.masks.new("Left")
    settings.matte_right = "/gone/right_%04d.png"
    yield 0.5
    picture("o2_masks_chosen")
    with contextlib.suppress(RuntimeError):  # what an artist sees as a report
        invoke(bpy.ops.handheld.solve, "CLIP_EDITOR")
    yield 0.5
    picture("o3_a_matte_that_is_gone")
    settings.mask, settings.matte_right = None, ""

    from solver import take as takes

    take = dataclasses.replace(takes.load(WORK / "take.npz"), clip_path=str(WORK / "clip.mp4"))
    takes.save(take, WORK / "there.npz")
    bpy.ops.handheld.import_take(filepath=str(WORK / "there.npz"))
    yield 0.5
    picture("o4_solved")
    for style in ("FILLED", "OUTLINE", "CONFIDENCE", "DIFFERENCE"):
        settings.style, movie = style, WORK / f"there.{style.lower()}.mp4"
        movie.unlink(missing_ok=True)
        assert invoke(bpy.ops.handheld.overlay, "CLIP_EDITOR", style=style) == {"RUNNING_MODAL"}
        if style == "FILLED":
            yield 0.4
            picture("o5_drawing")
        yield from until(movie.exists)
        yield 1.5
        invoke(bpy.ops.handheld.worst_outline, "CLIP_EDITOR")
        yield 0.5
        picture(f"o6_{style.lower()}")
    assert area("CLIP_EDITOR").spaces[0].clip != clip

    settings.style = "FILLED"
    (WORK / "there.filled.mp4").unlink()
    invoke(bpy.ops.handheld.overlay, "CLIP_EDITOR", style="FILLED")
    yield 0.5
    subprocess.run(["xdotool", "key", "Escape"], check=True)
    yield 1.5
    assert not (WORK / "there.filled.mp4").exists()
    picture("o7_stopped")
    takes.save(dataclasses.replace(take, outline_overlap=take.outline_overlap[:0]), WORK / "there.npz")
    with contextlib.suppress(RuntimeError):  # what an artist sees as a report
        invoke(bpy.ops.handheld.worst_outline, "CLIP_EDITOR")
    yield 0.5
    picture("o8_no_outlines_known")


run(steps())
