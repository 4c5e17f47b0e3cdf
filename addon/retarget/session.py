"""The scene's retargeting as the operators call it: detect, test, bake, and the live link."""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ...solver.errors import SolverError
from .. import animation
from ..scene import root_of
from . import bake, checks, detect, measuring, properties

_LIVE_SECONDS = 0.25
_pending: set[str] = set()


def hands(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The solved hands of a scene: of the selected root or hand if one is, else all, first solved first."""
    found = [candidate for candidate in scene.objects if candidate.handheld.role == "HAND"]
    roots = {hand: root_of(hand, scene) for hand in found}
    chosen = {root for hand, root in roots.items() if hand.select_get() or (root is not None and root.select_get())}
    return [hand for hand in found if roots[hand] in chosen] if chosen else found


def detect_bones(context: bpy.types.Context) -> str:
    """Find out what the target's bones are; gives the map's name.

    Raises:
        SolverError: those of ``checks.target``, and ``no-hand-found``.
    """
    settings = context.scene.handheld_retarget
    checks.target(settings.target, context.view_layer)
    found = detect.find(measuring.skeleton(settings.target))
    if found is None:
        raise SolverError(
            "no-hand-found",
            f"No hand was found among the bones of {settings.target.name}.",
            "Load a map, or add slots and enter the bones of hand and fingers.",
        )
    properties.store(settings, found)
    return found.name


def test(context: bpy.types.Context) -> tuple[str, ...]:
    """Pose the target as the hands are now, without keys; gives notes. Errors as ``bake.test``."""
    return _run(context, bake.test)


def retarget(context: bpy.types.Context) -> tuple[str, ...]:
    """Bake the whole motion; gives notes. Errors as ``bake.retarget``."""
    return _run(context, bake.retarget)


def _run(context: bpy.types.Context, work) -> tuple[str, ...]:
    settings = context.scene.handheld_retarget
    if not settings.slots:
        detect_bones(context)
    rig_map, options = properties.stored(settings), properties.options(settings)
    outcome = work(context, hands(context.scene), settings.target, rig_map, options)
    settings.notes = "\n".join(outcome.notes)
    return outcome.notes


# --- live link --------------------------------------------------------------------------------------------------------


@persistent
def _after_change(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Note that a solved hand changed; the work is done later, outside of the evaluation."""
    settings = scene.handheld_retarget
    if not settings.use_live or settings.target is None or scene.name in _pending:
        return
    changed = {update.id.original for update in depsgraph.updates}
    if any(hand in changed or _action(hand) in changed for hand in hands(scene)):
        _pending.add(scene.name)
        if not bpy.app.background:  # without a window timers never fire: see refresh_pending
            bpy.app.timers.register(refresh_pending, first_interval=_LIVE_SECONDS)


def _action(hand: bpy.types.Object) -> bpy.types.Action | None:
    return hand.animation_data.action if hand.animation_data else None


def refresh_pending() -> None:
    """Retarget again in the scenes whose hands changed. What goes wrong becomes the scene's note."""
    for name in list(_pending):
        scene = bpy.data.scenes.get(name)
        if scene is not None and scene == bpy.context.scene and scene.handheld_retarget.use_live:
            _refresh(scene)
    _pending.clear()


def _refresh(scene: bpy.types.Scene) -> None:
    try:
        if any(animation.curves(hand) for hand in hands(scene)):
            retarget(bpy.context)
    except SolverError as problem:
        scene.handheld_retarget.notes = str(problem)


def register() -> None:
    bpy.app.handlers.depsgraph_update_post.append(_after_change)


def unregister() -> None:
    _pending.clear()
    bpy.app.handlers.depsgraph_update_post.remove(_after_change)
    if bpy.app.timers.is_registered(refresh_pending):
        bpy.app.timers.unregister(refresh_pending)
