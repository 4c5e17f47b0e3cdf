"""Blender's side of Handheld: adapters between bpy and the solver's files and messages."""

from . import camera_properties, edit_properties, preferences, properties, solve


def register() -> None:
    properties.register()
    edit_properties.register()
    camera_properties.register()
    preferences.register()
    solve.register()


def unregister() -> None:
    solve.unregister()
    preferences.unregister()
    camera_properties.unregister()
    edit_properties.unregister()
    properties.unregister()
