"""Install from disk, enable, start the solver, disable, enable, remove while a solve runs; report what there was."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import bpy
import facts

MODULE = "bl_ext.user_default.handheld"
START_SECONDS = 120


def main(archive: str, clip: str) -> dict:
    before = facts.of_session()
    installed = bpy.ops.extensions.package_install_files(
        filepath=archive, repo="user_default", enable_on_install=True
    )  # fmt: skip
    enabled = facts.of_session()
    extension = Path(bpy.utils.user_resource("EXTENSIONS")) / "user_default" / "handheld"
    solver = facts.of_solver(extension)
    bpy.ops.preferences.addon_disable(module=MODULE)
    disabled = facts.of_session()
    bpy.ops.preferences.addon_enable(module=MODULE)
    enabled_again = facts.of_session()
    solving = _start_a_solve(clip)
    index = bpy.context.preferences.extensions.repos.find("User Default")
    removed = bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id="handheld")
    return {
        "before": before,
        "installed": list(installed),
        "enabled": enabled,
        "solver": solver,
        "disabled": disabled,
        "enabled_again": enabled_again,
        "solving": solving,
        "removed": list(removed),
        "after": facts.of_session(),
    }


def _start_a_solve(clip: str) -> dict:
    """Returns while the solver is at work."""
    bpy.ops.handheld.open_clip(filepath=clip)
    session = sys.modules[f"{MODULE}.addon.solve"].start(bpy.context)
    deadline = time.monotonic() + START_SECONDS
    while session.is_active and not session.stage and time.monotonic() < deadline:
        session.pump(timeout=0.2)
    return {"state": session.state.name, "stage": session.stage, "problem": str(session.problem)}


if __name__ == "__main__":
    facts.report(main(**json.loads(sys.argv[1])))
