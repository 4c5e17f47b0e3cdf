"""Camera solves of other programs, read and written: NumPy alone, so that Blender's side uses it too."""

from .known import KnownCamera, LensPart
from .reading import read, scaled_to

__all__ = ["KnownCamera", "LensPart", "read", "scaled_to"]
