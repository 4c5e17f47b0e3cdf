"""The walls of the house: Blender's side never imports the solver's dependencies, the solver never imports Blender."""

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BLENDERS_SIDE = ("addon", "operators", "ui")
CHILDS_ALONE = {"torch", "cv2", "scipy", "av", "ai_edge_litert", "pycolmap", "smplx", "PIL"}
BLENDERS_ALONE = {"bpy", "bmesh", "mathutils", "blf", "gpu", "bl_ext", "aud"}


def modules_of(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Dotted names that a file imports anywhere in it, relative ones from the repository's top."""
    package = path.relative_to(REPOSITORY).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def files_of(name: str) -> list[Path]:
    """The repository's files that importing ``name`` runs: the packages above it too."""
    parts = name.split(".")
    found = []
    for length in range(1, len(parts) + 1):
        stem = REPOSITORY.joinpath(*parts[:length])
        found += [path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()]
    return found


def reachable(start: list[Path]) -> set[Path]:
    seen, waiting = set(), list(start)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [other for name in imported(path) for other in files_of(name)]
    return seen


def offences(paths: set[Path], forbidden: set[str]) -> list[str]:
    return sorted(
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in paths
        for name in imported(path)
        if name.split(".")[0] in forbidden
    )


def test_blenders_side_reaches_none_of_the_childs_dependencies():
    reached = reachable([REPOSITORY / "__init__.py", *modules_of(*BLENDERS_SIDE)])
    assert REPOSITORY / "solver" / "take.py" in reached
    assert offences(reached, CHILDS_ALONE) == []


def test_the_solver_knows_no_blender():
    assert offences(set(modules_of("solver")), BLENDERS_ALONE) == []


def test_the_process_and_session_know_no_blender():
    free = {REPOSITORY / "addon" / f"{name}.py" for name in ("process", "session", "frames", "bones")}
    assert offences(free, BLENDERS_ALONE) == []
