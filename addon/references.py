"""Datablocks across time: Python references die on undo, session uids don't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import bpy


@dataclass(frozen=True)
class Reference:
    """A datablock that may be gone: removed, or undone.

    Attributes:
        collection: name of its list in ``bpy.data``.
        uid: its ``session_uid``, which outlives undo, redo and renaming.
    """

    collection: str
    uid: int

    @classmethod
    def to(cls, collection: str, datablock: bpy.types.ID) -> Self:
        return cls(collection, datablock.session_uid)

    def get(self) -> bpy.types.ID | None:
        return next((block for block in getattr(bpy.data, self.collection) if block.session_uid == self.uid), None)
