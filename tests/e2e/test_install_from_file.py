"""Install from Disk: the one step, and that nothing stays behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solver import __version__
from tools.blenders import Blender
from tools.demo import DEFAULT_CLIP

from . import blender_process
from .blender_process import Outcome

MODULE = "bl_ext.user_default.handheld"


@pytest.fixture(scope="module")
def outcome(blender: Blender, home: Path, archives: dict[str, Path]) -> Outcome:
    archive = str(archives[blender.python])
    return blender_process.run(blender, "install_from_file.py", home, archive=archive, clip=str(DEFAULT_CLIP))


def test_installs_and_enables(outcome: Outcome) -> None:
    assert outcome.facts["installed"] == ["FINISHED"]
    assert outcome.facts["enabled"]["enabled"] == [MODULE]
    assert "HANDHELD_OT_solve" in outcome.facts["enabled"]["types"]


def test_blender_keeps_its_own_libraries(outcome: Outcome) -> None:
    before, enabled = outcome.facts["before"], outcome.facts["enabled"]
    assert enabled["numpy"] == before["numpy"]
    assert enabled["sys_path"] == before["sys_path"]
    assert enabled["foreign_modules"] == []


def test_solver_starts_with_the_libraries_of_the_zip(outcome: Outcome) -> None:
    solver = outcome.facts["solver"]
    assert solver["version"] == f"solver {__version__}", solver["errors"]
    assert json.loads(solver["hello"][0])["type"] == "Hello"


def test_every_module_of_the_solver_imports_from_the_zip(outcome: Outcome) -> None:
    imports = outcome.facts["solver"]["imports"]
    assert isinstance(imports, dict), imports
    assert imports["outside"] == []
    assert imports["numpy"] != outcome.facts["before"]["numpy"][0], "the two NumPy versions must differ to prove it"


def test_disabling_takes_everything_out_of_the_session(outcome: Outcome) -> None:
    before, disabled = outcome.facts["before"], outcome.facts["disabled"]
    for fact in ("types", "properties", "handlers", "threads", "sys_path", "enabled"):
        assert disabled[fact] == before[fact], fact


def test_enabling_again_works(outcome: Outcome) -> None:
    enabled, again = outcome.facts["enabled"], outcome.facts["enabled_again"]
    for fact in ("types", "properties", "handlers", "threads", "enabled"):
        assert again[fact] == enabled[fact], fact


def test_removing_while_a_solve_runs_leaves_nothing_behind(outcome: Outcome) -> None:
    assert outcome.facts["solving"]["state"] == "RUNNING", outcome.facts["solving"]
    before, after = outcome.facts["before"], outcome.facts["after"]
    assert outcome.facts["removed"] == ["FINISHED"]
    for fact in ("files", "types", "properties", "handlers", "threads", "sys_path", "enabled"):
        assert after[fact] == before[fact], fact
    assert outcome.left_running == []
