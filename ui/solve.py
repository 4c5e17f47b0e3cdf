"""The main panel: the clip, Solve, progress, the outcome."""

from __future__ import annotations

import bpy

from ..addon import masks, scene, solve
from ..addon.hands import hands_of
from ..addon.session import Session, State
from ..solver.messages import ResolveRequest
from . import repairs
from .sidebar import Sidebar, begin, in_both_editors
from .text import draw_wrapped


class _MainPanel(Sidebar):
    bl_label = "Handheld"

    def draw(self, context: bpy.types.Context) -> None:
        layout = begin(self.layout)
        _draw_clip(layout, context)
        session = solve.current()
        if session is not None and session.is_active:
            _draw_running(layout, session, context)
            return
        if context.scene.handheld.clip is not None:
            _draw_ready(layout, context)
        if session is not None:
            _draw_ended(layout, session, context)
        if lost := scene.why_lost(context):
            draw_wrapped(layout, context, f"{lost}.", "INFO")


def _draw_clip(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.handheld
    row = layout.row()
    row.enabled = not solve.is_running()
    row.template_ID(settings, "clip", open="handheld.open_clip")
    shown = getattr(context, "edit_movieclip", None)
    if shown is not None and shown != settings.clip:
        layout.operator("handheld.use_clip", icon="TRACKER")
    if settings.clip is None:
        draw_wrapped(layout, context, "Open a video of hands, or drop one here.", "INFO")


def _draw_ready(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.handheld
    about_clip = scene.SceneSetup.of_clip(settings.clip, context.scene).described()
    draw_wrapped(layout, context, ", ".join(about_clip), "BLANK1")
    differing = scene.differences(context.scene, settings.clip)
    if differing:
        draw_wrapped(layout, context, f"The scene has {', '.join(differing)}", "INFO")
        layout.operator("handheld.match_scene")
    layout.prop(settings, "frame_range")
    button = layout.column()
    button.scale_y = 1.5
    button.operator("handheld.solve", icon="VIEW_PAN")
    layout.prop(settings, "quality")
    more = layout.column()
    more.active = settings.quality != "INITIAL"
    needed = masks.render_needs(context.scene)
    row = more.row()
    row.active = not needed
    row.prop(settings, "use_render")
    if needed and settings.use_render:
        more.label(text=needed, icon="INFO")
    along = layout.row()
    along.active = settings.quality != "INITIAL" and settings.camera_source in {"AUTO", "SOLVE"}
    along.prop(settings, "use_camera_along", text="Mend Camera")  # the whole name doesn't fit the sidebar
    more.prop(settings, "prior")


def _draw_running(layout: bpy.types.UILayout, session: Session, context: bpy.types.Context) -> None:
    title = session.stage if session.state is State.RUNNING and session.stage else session.state.value
    step = f"{session.stage_index + 1} of {session.stage_count}"
    count = f"{session.done} of {session.total}" if session.total else ""
    layout.label(text=f"{title} ({step})")
    layout.progress(factor=session.progress, type="BAR", text=count)
    if isinstance(session.request, ResolveRequest):
        layout.operator("handheld.cancel", text="Leave It as It Was (Esc)", icon="CANCEL")
    else:
        layout.prop(context.scene.handheld, "use_follow")
        _draw_view_button(layout, context)
        layout.operator("handheld.cancel", icon="CANCEL")
    _draw_warnings(layout, session, context)


def _draw_ended(layout: bpy.types.UILayout, session: Session, context: bpy.types.Context) -> None:
    box = layout.box()
    header = box.row()
    icon = {State.FINISHED: "CHECKMARK", State.CANCELLED: "CANCEL", State.FAILED: "ERROR"}[session.state]
    header.label(text=session.outcome, icon=icon)
    header.operator("handheld.dismiss", text="", icon="X", emboss=False)
    if session.problem is not None:
        _draw_problem(box, session, context)
    if session.summary and isinstance(session.request, ResolveRequest):
        draw_wrapped(box, context, session.summary)
    elif session.take_path:
        _draw_result(box, session, context)
    _draw_warnings(box, session, context)


def _draw_problem(layout: bpy.types.UILayout, session: Session, context: bpy.types.Context) -> None:
    text = layout.column()
    text.alert = True
    draw_wrapped(text, context, session.problem.sentence)
    draw_wrapped(layout, context, session.problem.repair)
    repairs.draw_button(layout, session.problem)


def _draw_result(layout: bpy.types.UILayout, session: Session, context: bpy.types.Context) -> None:
    root = scene.find_root(context.scene, context.scene.handheld.clip, session.take_path)
    for armature in hands_of(root) if root else []:
        row = layout.row()
        row.label(text=armature.name, icon="VIEW_PAN")
        row.label(text=f"{armature.handheld.coverage:.0%} of the frames")
    draw_wrapped(layout, context, f"Take: {session.take_path}")
    _draw_view_button(layout, context)


def _draw_view_button(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    if context.area.type != "VIEW_3D" or context.scene.camera is None:
        return
    if context.space_data.region_3d.view_perspective != "CAMERA":
        layout.operator("view3d.view_camera", text="View Through Camera", icon="VIEW_CAMERA")


def _draw_warnings(layout: bpy.types.UILayout, session: Session, context: bpy.types.Context) -> None:
    for warning in session.warnings:
        draw_wrapped(layout, context, f"{warning.sentence} {warning.repair}", "INFO")


CLASSES = in_both_editors(_MainPanel)
