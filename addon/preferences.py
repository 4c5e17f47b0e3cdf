"""What belongs to the machine rather than to a .blend."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, StringProperty

from . import package

HAND_MODELS = (
    ("AUTO", "Automatic", "Your own hand model if a folder is given, else the open hand"),
    ("OPEN", "Open Hand", "The hand that comes with Handheld"),
)


class HandheldPreferences(bpy.types.AddonPreferences):
    bl_idname = package.NAME

    solver_python: StringProperty(
        name="Solver Python",
        subtype="FILE_PATH",
        description="Python that runs the solver. Leave empty to use the one that comes with Blender",
    )
    hand_model: EnumProperty(name="Hand Model", items=HAND_MODELS, description="Hand that is fitted and shown")
    mano_folder: StringProperty(
        name="MANO Folder",
        subtype="DIR_PATH",
        description="Folder with your own MANO_LEFT and MANO_RIGHT files; their licence is yours to heed",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "hand_model")
        folder = layout.row()
        folder.active = self.hand_model == "AUTO"
        folder.prop(self, "mano_folder")
        layout.prop(self, "solver_python")


def get(context: bpy.types.Context) -> HandheldPreferences:
    return context.preferences.addons[package.NAME].preferences


def model_source(context: bpy.types.Context) -> str:
    """The solver's ``model`` option."""
    preferences = get(context)
    if preferences.hand_model == "AUTO" and preferences.mano_folder:
        return bpy.path.abspath(preferences.mano_folder)
    return "open"


def register() -> None:
    bpy.utils.register_class(HandheldPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(HandheldPreferences)
