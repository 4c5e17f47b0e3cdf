"""Add a remote repository, install from it, start the solver, update when the server has a newer one, remove."""

from __future__ import annotations

import json
import sys
import tomllib
import urllib.request
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import bpy
import facts


def main(url: str, next_release: str) -> dict:
    bpy.context.preferences.system.use_online_access = True
    repos = bpy.context.preferences.extensions.repos
    repos.new(name="Handheld", module="handheld_repository", remote_url=url)
    index = len(repos) - 1
    folder = Path(bpy.utils.user_resource("EXTENSIONS")) / "handheld_repository" / "handheld"

    bpy.ops.extensions.repo_sync(repo_index=index)
    installed = bpy.ops.extensions.package_install(repo_index=index, pkg_id="handheld", enable_on_install=True)
    first = _manifest(folder)
    built_for = (folder / "vendor" / "PYTHON").read_text().strip()
    solver = facts.of_solver(folder)
    user_folder = Path(bpy.utils.extension_path_user("bl_ext.handheld_repository.handheld", create=True))
    (user_folder / "take.npz").write_bytes(b"kept")

    urllib.request.urlopen(next_release).read()
    bpy.ops.extensions.repo_sync(repo_index=index)
    bpy.ops.extensions.package_upgrade_all()
    second = _manifest(folder)
    kept = (user_folder / "take.npz").exists()
    enabled = facts.of_session()["enabled"]
    bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id="handheld")
    return {
        "installed": list(installed),
        "first": first,
        "built_for": built_for,
        "solver": solver,
        "second": second,
        "kept": kept,
        "enabled": enabled,
        "after": facts.of_session(),
    }


def _manifest(folder: Path) -> dict:
    return tomllib.loads((folder / "blender_manifest.toml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    facts.report(main(**json.loads(sys.argv[1])))
