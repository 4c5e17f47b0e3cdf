"""Blender's side of Handheld: adapters between bpy and the solver's files and messages."""

from . import preferences, properties, solve


def register() -> None:
    properties.register()
    preferences.register()
    solve.register()


def unregister() -> None:
    solve.unregister()
    preferences.unregister()
    properties.unregister()
