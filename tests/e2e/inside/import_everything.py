"""Imports every module of the installed solver and says where its libraries came from. Needs no bpy."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path

LIBRARIES = ("numpy", "scipy", "cv2", "av", "ai_edge_litert", "pycolmap")


def main(extension: Path) -> dict[str, object]:
    sys.path[:0] = [str(extension), str(extension / "vendor")]
    import solver

    names = [module.name for module in pkgutil.walk_packages(solver.__path__, "solver.")]
    names.remove("solver.__main__")
    for name in names:
        importlib.import_module(name)
    origins = {name: Path(importlib.import_module(name).__file__) for name in LIBRARIES}
    return {
        "modules": len(names),
        "outside": [name for name, path in origins.items() if not path.is_relative_to(extension / "vendor")],
        "numpy": sys.modules["numpy"].__version__,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
