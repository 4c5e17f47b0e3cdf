"""Blender's side of Handheld: adapters between bpy and the solver's files and messages."""

from . import (
    camera_properties,
    edit_properties,
    file_paths,
    held_keys,
    overlay_properties,
    preferences,
    properties,
    scene,
    solve,
)
from .retarget import properties as retarget_properties
from .retarget import session as retarget_session


def register() -> None:
    properties.register()
    edit_properties.register()
    camera_properties.register()
    overlay_properties.register()
    preferences.register()
    retarget_properties.register()
    retarget_session.register()
    file_paths.register()
    scene.register()
    held_keys.register()
    solve.register()


def unregister() -> None:
    solve.unregister()
    held_keys.unregister()
    scene.unregister()
    file_paths.unregister()
    retarget_session.unregister()
    retarget_properties.unregister()
    preferences.unregister()
    overlay_properties.unregister()
    camera_properties.unregister()
    edit_properties.unregister()
    properties.unregister()
