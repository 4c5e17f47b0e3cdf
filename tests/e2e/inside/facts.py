"""What can be observed of Blender from within. Nothing here judges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import bpy
import numpy

# what an extension may hang properties on
OWNERS = ("Scene", "Object", "MovieClip")
# what only the solver's process may ever import
FOREIGN = ("torch", "cv2", "scipy", "av", "ai_edge_litert", "pycolmap")


def report(facts: dict[str, Any]) -> None:
    """Print the facts and leave at once: some versions of the module hang or crash while they shut down."""
    print("REPORT " + json.dumps(facts), flush=True)
    os._exit(0)


def of_session() -> dict[str, Any]:
    """What an extension must leave as it found it."""
    return {
        "sys_path": list(sys.path),
        "numpy": [numpy.__version__, numpy.__file__],
        "foreign_modules": [name for name in FOREIGN if name in sys.modules],
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "handlers": _handlers(),
        "types": sorted(name for name in dir(bpy.types) if "handheld" in name.lower()),
        "operators": "handheld" in dir(bpy.ops),
        "properties": [owner for owner in OWNERS if hasattr(getattr(bpy.types, owner), "handheld")],
        "enabled": [addon.module for addon in bpy.context.preferences.addons if addon.module.endswith(".handheld")],
        "files": files(),
    }


def _handlers() -> dict[str, int]:
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    return {name: len(handlers) for name, handlers in lists.items() if isinstance(handlers, list)}


def files() -> list[str]:
    """Paths below the user's extension folder that belong to an extension rather than to Blender's own bookkeeping."""
    root = Path(bpy.utils.user_resource("EXTENSIONS"))
    paths = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(path for path in paths if not path.startswith(".cache/") and "/.blender_ext/" not in path)


def of_solver(extension: Path) -> dict[str, Any]:
    """What the solver says when it is started from the installed extension, as the extension starts it."""
    launch = [sys.executable, "-I", str(extension / "solver" / "launch.py")]
    version = subprocess.run([*launch, "--version"], capture_output=True, text=True, timeout=120, check=False)
    serve = subprocess.run([*launch, "serve"], input="", capture_output=True, text=True, timeout=120, check=False)
    imports = subprocess.run(
        [sys.executable, "-I", str(Path(__file__).with_name("import_everything.py")), str(extension)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    return {
        "version": version.stdout.strip(),
        "hello": serve.stdout.splitlines()[:1],
        "imports": json.loads(imports.stdout) if imports.returncode == 0 else imports.stderr,
        "errors": [version.stderr, serve.stderr],
    }
