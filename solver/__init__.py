"""Handheld's solver: a clip in, two hands and one camera in one metric world out. Knows no Blender."""

__version__ = "0.5.0"
