"""Where this extension lies and what it is called; Blender decides both."""

from __future__ import annotations

from pathlib import Path

# "bl_ext.<repository>.handheld" in Blender
NAME = __package__.rpartition(".")[0]
FOLDER = Path(__file__).resolve().parent.parent
