"""Install from disk, enable, start the solver, disable, remove; report what there was at each step."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import bpy
import facts

MODULE = "bl_ext.user_default.handheld"


def main(archive: str) -> dict:
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
    index = bpy.context.preferences.extensions.repos.find("User Default")
    removed = bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id="handheld")
    return {
        "before": before,
        "installed": list(installed),
        "enabled": enabled,
        "solver": solver,
        "disabled": disabled,
        "enabled_again": enabled_again,
        "removed": list(removed),
        "after": facts.of_session(),
    }


if __name__ == "__main__":
    facts.report(main(**json.loads(sys.argv[1])))
