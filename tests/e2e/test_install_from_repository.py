"""The static repository over loopback: Blender picks the zip that fits, installs, and updates it."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import package, repository, targets
from tools.blenders import Blender

from . import blender_process
from .blender_process import Outcome

NEXT_VERSION = "999.0.0"


@pytest.fixture(scope="module")
def releases(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two states of the repository: ``now`` as it is released, ``next`` with a newer version."""
    folder = tmp_path_factory.mktemp("releases")
    complete = list(archives.values())
    others = [_without_libraries(t, folder) for t in targets.TARGETS if t not in targets.select("current")]
    repository.generate([*complete, *others], folder / "now")
    newer = [_without_libraries(target, folder, NEXT_VERSION) for target in targets.TARGETS]
    repository.generate(newer, folder / "next")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _without_libraries(target: targets.Target, folder: Path, version: str = "") -> Path:
    content = dict(package.own_members(target))
    if version:
        manifest = content[package.MANIFEST.name].decode()
        lines = (f'version = "{version}"' if line.startswith("version =") else line for line in manifest.splitlines())
        content[package.MANIFEST.name] = "\n".join(lines).encode()
    archive = folder / (version or "current") / package.file_name(target)
    archive.parent.mkdir(exist_ok=True)
    package.write(archive, content)
    return archive


class _Server(http.server.SimpleHTTPRequestHandler):
    """Serves the release that is out; ``/publish`` brings the next one out."""

    def do_GET(self) -> None:
        if self.path == "/publish":
            self.server.release = "next"
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def translate_path(self, path: str) -> str:
        return super().translate_path(f"/{self.server.release}{path}")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Server, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.release = "now"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def outcome(blender: Blender, home: Path, releases: Path) -> Outcome:
    with _serving(releases) as address:
        url, publish = f"{address}/index.json", f"{address}/publish"
        return blender_process.run(blender, "install_from_repository.py", home, url=url, next_release=publish)


def test_index_names_platform_python_and_blender_of_each_zip(releases: Path) -> None:
    entries = json.loads((releases / "now" / "index.json").read_text(encoding="utf-8"))["data"]
    found = {
        (*entry["platforms"], *entry["python_versions"], entry["blender_version_min"]): entry.get("blender_version_max")
        for entry in entries
    }
    assert found == {
        (t.platform.name, t.python.version, t.python.blender_version_min): t.python.blender_version_max or None
        for t in targets.TARGETS
    }


def test_the_zip_that_fits_is_installed(outcome: Outcome, blender: Blender) -> None:
    assert outcome.facts["installed"] == ["FINISHED"]
    assert outcome.facts["first"]["platforms"] == [targets.platform_name()]
    assert outcome.facts["built_for"] == blender.python


def test_solver_starts(outcome: Outcome) -> None:
    assert json.loads(outcome.facts["solver"]["hello"][0])["type"] == "Hello"


def test_update_replaces_the_extension_and_keeps_the_users_files(outcome: Outcome) -> None:
    assert outcome.facts["second"]["version"] == NEXT_VERSION
    assert outcome.facts["kept"]
    assert outcome.facts["enabled"] == ["bl_ext.handheld_repository.handheld"]


def test_removing_leaves_nothing_behind(outcome: Outcome) -> None:
    assert outcome.facts["after"]["files"] == []
    assert outcome.facts["after"]["types"] == []
    assert outcome.left_running == []
