"""The walls of the house: who may import what, followed through every module that is imported on the way.

In Blender's side every import counts, wherever it stands. In the solver those at module level do: they happen to
whoever imports the module, while one inside a function is a choice made at run time, in the solver's own process.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLENDER_SIDE = ("__init__.py", "addon", "operators", "ui")
HEAVY = {"torch", "cv2", "scipy", "av", "ai_edge_litert", "pycolmap"}
BLENDER = {"bpy", "bmesh", "mathutils", "gpu", "bl_ext", "_bpy", "aud", "blf"}
SHARED = ("solver/messages.py", "solver/take.py", "solver/errors.py")


def _modules(*places: str) -> list[Path]:
    found = [ROOT / place if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")) for place in places]
    return [path for item in found for path in (item if isinstance(item, list) else [item])]


@cache
def _imports(path: Path) -> tuple[frozenset[str], frozenset[Path]]:
    """Top-level packages that importing the file imports directly, and the repository's own files that it imports."""
    outside, inside = set(), set()
    for base, names in _import_statements(path):
        own = [file for dotted in (base, *(f"{base}.{name}" for name in names)) for file in _own_files(dotted)]
        inside.update(own)
        if not own:
            outside.add(base.split(".")[0])
    return frozenset(outside), frozenset(inside - {path})


def _import_statements(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(absolute module, imported names) of each import that runs when the module is imported."""
    package = path.relative_to(ROOT).parent.parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    everywhere = path.relative_to(ROOT).parts[0] in BLENDER_SIDE
    for node in ast.walk(tree) if everywhere else _module_level(tree.body):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join((*parents, *filter(None, [node.module]))), [alias.name for alias in node.names]


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if _is_type_checking(node) or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for field in ("body", "orelse", "finalbody", "handlers"):
            yield from _module_level(getattr(node, field, []))


def _is_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _own_files(dotted: str) -> list[Path]:
    """The repository's files that importing ``dotted`` runs: the module and the packages above it."""
    parts = dotted.split(".") if dotted else []
    base = ROOT.joinpath(*parts)
    if base.with_suffix(".py").is_file():
        module = [base.with_suffix(".py")]
    elif (base / "__init__.py").is_file():
        module = [base / "__init__.py"]
    else:
        return []
    above = (ROOT.joinpath(*parts[:count], "__init__.py") for count in range(1, len(parts)))
    return [*(path for path in above if path.is_file()), *module]


def _reached(start: Path) -> dict[str, Path]:
    """Each package from outside that importing ``start`` brings in, with the file that imports it."""
    seen, waiting, outside = {start}, [start], {}
    while waiting:
        path = waiting.pop()
        packages, files = _imports(path)
        outside.update({package: path.relative_to(ROOT) for package in packages if package not in outside})
        waiting += files - seen
        seen |= files
    return outside


@pytest.mark.parametrize("path", _modules("solver"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_solver_never_imports_blender(path: Path) -> None:
    assert {name: by for name, by in _reached(path).items() if name in BLENDER} == {}


@pytest.mark.parametrize("path", _modules(*BLENDER_SIDE), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_blender_side_never_imports_the_solvers_libraries(path: Path) -> None:
    assert {name: by for name, by in _reached(path).items() if name in HEAVY} == {}


@pytest.mark.parametrize("name", SHARED)
def test_shared_definitions_need_numpy_at_most(name: str) -> None:
    allowed = sys.stdlib_module_names | {"numpy"}
    assert {package: by for package, by in _reached(ROOT / name).items() if package not in allowed} == {}


def test_messages_need_the_standard_library_alone() -> None:
    assert set(_reached(ROOT / "solver/messages.py")) <= sys.stdlib_module_names


def test_the_build_needs_the_standard_library_alone() -> None:
    outside = set(_reached(ROOT / "build.py"))
    assert outside <= sys.stdlib_module_names


def test_torch_is_imported_by_its_layer_alone() -> None:
    importers = {path.relative_to(ROOT).as_posix() for path in _modules("solver") if "torch" in _imports(path)[0]}
    assert importers <= {"solver/hand_model/torch_layer.py"}


def test_the_walk_sees_what_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative imports, imports of a package's submodule, imports through a third module, nested ones; not types."""
    files = {
        "door/__init__.py": "",
        "door/near.py": "from . import far",
        "door/far.py": "if True:\n    import cv2\nif TYPE_CHECKING:\n    import torch",
        "door/lazy.py": "def load():\n    import scipy",
        "ui/lazy.py": "def load():\n    from door import near",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert "cv2" in _reached(tmp_path / "door/near.py")
    assert "torch" not in _reached(tmp_path / "door/near.py")
    assert "scipy" not in _reached(tmp_path / "door/lazy.py")
    assert "cv2" in _reached(tmp_path / "ui/lazy.py")
