"""Real bpy with the extension enabled where Blender would have installed it; every test starts from an empty scene."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

_EXIT_STATUS = pytest.StashKey[int]()
REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = "bl_ext.user_default.handheld"

# Before bpy is imported: it reads its folders once.
_RESOURCES = Path(tempfile.mkdtemp(prefix="handheld-blender-"))
os.environ["BLENDER_USER_RESOURCES"] = str(_RESOURCES)
_INSTALLED = _RESOURCES / "extensions" / "user_default" / "handheld"
_INSTALLED.parent.mkdir(parents=True)
_INSTALLED.symlink_to(REPOSITORY, target_is_directory=True)

sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

import bpy  # noqa: E402

bpy.ops.preferences.addon_enable(module=MODULE)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    sys.modules[f"{MODULE}.addon.process"].SolverProcess.stop_all()
    _INSTALLED.unlink()
    shutil.rmtree(_RESOURCES, ignore_errors=True)
    session.config.stash[_EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End here: Blender 4.5 as a module never comes back from its own clean-up once Rigify has run in it."""
    if _EXIT_STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_EXIT_STATUS])


@pytest.fixture(autouse=True)
def empty_scene():
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    yield bpy.context.scene
    sys.modules[f"{MODULE}.addon.solve"].abandon()


@pytest.fixture(scope="session")
def take_path(tmp_path_factory):
    from solved import write_take

    return write_take(tmp_path_factory.mktemp("solved") / "shot.handheld.npz")


@pytest.fixture
def solved(take_path, monkeypatch):
    """The root of a take in the scene, with the real solver; an undo step pushed, frames 521 to 560 to work on."""
    from solved import root, solver_command

    monkeypatch.setattr(sys.modules[f"{MODULE}.addon.solve"], "command", lambda context: solver_command())
    bpy.ops.handheld.import_take(filepath=str(take_path), use_clip=False)
    editing = bpy.context.scene.handheld_editing
    editing.first, editing.last = 521, 560
    bpy.context.scene.frame_set(540)
    bpy.ops.ed.undo_push(message="Solved")
    return root()
