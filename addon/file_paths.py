"""Paths in the .blend: relative to it once it is saved, so that a folder with it, its takes and its clip can be moved.

Blender keeps its own datablocks' paths right when a file is saved elsewhere; takes are ours to keep.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from . import package

# the files that were meant when saving began, in the order of ``_holders``
_meant: list[str] = []


def stored(path: str | os.PathLike[str], blend: str | None = None) -> str:
    """How the .blend (the open one, unless another path is given) keeps a file's path.

    Absolute as long as the .blend is not saved, for another drive, and for what lies in the extension's own folder,
    which no .blend takes along.
    """
    whole = str(Path(path).absolute())
    blend = bpy.data.filepath if blend is None else blend
    if not blend or Path(whole).is_relative_to(_own_folder()):
        return whole
    try:
        return bpy.path.relpath(whole, start=str(Path(blend).parent))
    except ValueError:  # Windows: another drive
        return whole


def absolute(path: str, owner: bpy.types.Object | None = None) -> Path:
    """The file that a stored path means; its ``owner`` may come from a library, override what does, or have been
    appended from a .blend that lies in another folder than this one."""
    overridden = owner.override_library if owner is not None else None
    library = overridden.reference.library if overridden else owner.library if owner is not None else None
    file = _normal(bpy.path.abspath(path, library=library))
    came_from = owner.handheld.blend_folder if owner is not None and path.startswith("//") else ""
    if came_from and not file.exists():
        there = _normal(bpy.path.abspath(path, start=came_from))
        return there if there.exists() else file
    return file


def _normal(path: str) -> Path:
    return Path(os.path.normpath(Path(path).absolute()))


def _own_folder() -> Path:
    return Path(bpy.utils.extension_path_user(package.NAME))


def _holders() -> Iterator[tuple[bpy.types.Object, bpy.types.PropertyGroup, str]]:
    """What keeps a take's path in this .blend, in which of its groups, and under which name."""
    for thing in bpy.data.objects:
        if thing.library is None and thing.override_library is None and thing.handheld.role in ("ROOT", "GHOST"):
            yield thing, thing.handheld, "take"
            for entry in thing.handheld_edit.takes:
                yield thing, entry, "path"


@persistent
def _before_save(blend: str, *_: object) -> None:
    found = [(thing, getattr(holder, name)) for thing, holder, name in _holders()]
    _meant[:] = [str(absolute(path, thing)) if path else "" for thing, path in found]
    _store(blend)
    if bpy.context.preferences.filepaths.use_relative_paths:
        _relate_clips(blend)


@persistent
def _after_save(*_: object) -> None:
    """A copy that was saved leaves the open file where it was."""
    _store(bpy.data.filepath)
    _meant.clear()


def _store(blend: str) -> None:
    for (thing, holder, name), file in zip(_holders(), _meant, strict=False):
        setattr(holder, name, stored(file, blend) if file else "")
        thing.handheld.blend_folder = str(Path(blend).parent) if blend else ""


def _relate_clips(blend: str) -> None:
    """Clips that lie with the .blend, as Blender relates what is opened in a saved file."""
    for thing in bpy.data.objects:
        movie = thing.handheld.clip if thing.handheld.role == "ROOT" else None
        if movie is None or movie.library is not None or movie.filepath.startswith("//"):
            continue
        # Blender takes what is relative for relative to the open file, and adapts it to where it is saved
        related = stored(movie.filepath, bpy.data.filepath or blend)
        if related.count("..") <= 1:  # in the .blend's folder, or beside that
            movie.filepath = related


_HANDLERS = {"save_pre": _before_save, "save_post": _after_save, "save_post_fail": _after_save}


def register() -> None:
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).remove(handler)
