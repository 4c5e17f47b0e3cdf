"""Which button mends which problem."""

from __future__ import annotations

import bpy

from ..addon import package
from ..solver.errors import SolverError

# code, or the beginning of codes -> operator and its label; the longest match counts
_REPAIRS = {
    "no-clip": ("handheld.open_clip", "Open Clip", "FILE_FOLDER"),
    "clip-": ("handheld.open_clip", "Open Another Clip", "FILE_FOLDER"),
    "clip-missing": ("handheld.find_clip", "Find Clip File", "VIEWZOOM"),
    "clip-shifted": ("handheld.follow_clip", "Move Keys Along", "TIME"),
    "clip-range-empty": ("handheld.match_scene", "Match Scene to Clip", "SCENE_DATA"),
    "camera-format-unknown": ("handheld.choose_camera_file", "Choose Camera File", "FILE_FOLDER"),
    "camera-not-readable": ("handheld.choose_camera_file", "Choose Camera File", "FILE_FOLDER"),
    "camera-damaged": ("handheld.choose_camera_file", "Choose Camera File", "FILE_FOLDER"),
    "camera-other-size": ("handheld.choose_camera_file", "Choose Camera File", "FILE_FOLDER"),
    "folder-not-writable": ("wm.save_as_mainfile", "Save As", "FILE_TICK"),
    "take-not-writable": ("wm.save_as_mainfile", "Save As", "FILE_TICK"),
    "hand-model-": ("preferences.addon_show", "Preferences", "PREFERENCES"),
    "solver-not-started": ("preferences.addon_show", "Preferences", "PREFERENCES"),
    "scene-gone": ("handheld.import_take", "Import Take", "IMPORT"),
    "take-missing": ("handheld.find_take", "Find Take", "VIEWZOOM"),
    "solver-died": ("handheld.solve", "Solve Again", "FILE_REFRESH"),
}


def draw_button(layout: bpy.types.UILayout, problem: SolverError) -> None:
    """The button that mends the problem, if there is one."""
    fitting = [code for code in _REPAIRS if problem.code.startswith(code)]
    if not fitting:
        return
    operator, label, icon = _REPAIRS[max(fitting, key=len)]
    properties = layout.operator(operator, text=label, icon=icon)
    if operator == "preferences.addon_show":
        properties.module = package.NAME
