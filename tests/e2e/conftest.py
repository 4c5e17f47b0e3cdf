"""Which Blenders there are, and the zips that go into them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import package, targets
from tools.blenders import BLENDERS, Blender


def _parameter(blender: Blender):
    reason = blender.missing_because() if blender.optional else ""
    marks = [pytest.mark.skip(reason=reason)] if reason else []
    return pytest.param(blender, id=blender.series, marks=marks)


@pytest.fixture(scope="module", params=[_parameter(blender) for blender in BLENDERS])
def blender(request: pytest.FixtureRequest) -> Blender:
    """Every Blender that can be had here, one after the other."""
    return request.param


@pytest.fixture(scope="session")
def archives() -> dict[str, Path]:
    """This platform's zips by Python version, complete."""
    return {target.python.version: package.build(target) for target in targets.select("current")}


@pytest.fixture(scope="module")
def home(blender: Blender, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder for one Blender; an installed extension is half a gigabyte, so it goes at once."""
    folder = tmp_path_factory.mktemp(f"home-{blender.series}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
