"""The test suites of ``build.py test``: what each needs, how it runs, and the summary at the end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import blenders, environment, inputs, package, targets
from .blenders import Blender
from .console import ROOT, BuildError, headline, run_visibly, say

# Each of these runs the whole of tests/addon.
ADDON_BLENDERS = ("4.2", "4.5", "5.0", "5.2")
# One BLAS thread: more are slower on small blocks, and tests run beside each other.
SINGLE_THREADED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
MINUTES = 60


@dataclass(frozen=True)
class Result:
    name: str
    passed: bool
    seconds: float


def run(wanted: Sequence[str], expression: str) -> int:
    """Run the named suites (all when none is named), print a summary, return the exit status."""
    if unknown := [name for name in wanted if name not in NAMES]:
        raise BuildError(f"There is no suite {unknown[0]!r}.", f"Choose from: {', '.join(NAMES)}.")
    results = [result for name, suite in _SUITES.items() if name in (wanted or NAMES) for result in suite(expression)]
    headline("Summary")
    for result in results:
        say(f"{'passed' if result.passed else 'FAILED':<7} {result.name} ({result.seconds:.0f} s)")
    failed = [result.name for result in results if not result.passed]
    say(f"FAILED: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


def ensure_blender(blender: Blender) -> bool:
    """Install ``blender``; False, with the reason printed, when it is optional and can't be had."""
    if blender.optional and (reason := blender.missing_because()):
        say(f"Blender {blender.series}: left out. {reason}")
        return False
    blenders.ensure(blender)
    return True


def _style(expression: str) -> list[Result]:
    headline("Style")
    ruff = [environment.ensure(environment.DEVELOP), "-m", "ruff"]
    return [
        _timed("ruff check", lambda: run_visibly([*ruff, "check", "--no-cache", "."])),
        _timed("ruff format", lambda: run_visibly([*ruff, "format", "--no-cache", "--check", "."])),
    ]


def _solver(expression: str) -> list[Result]:
    headline("Solver: no Blender")
    python = environment.ensure(environment.DEVELOP)
    inputs.ensure()
    top_level = sorted((ROOT / "tests").glob("test_*.py"))
    return [_pytest("solver", python, [ROOT / "tests" / "solver", *top_level], expression)]


def _addon(expression: str) -> list[Result]:
    environment.ensure(environment.DEVELOP)  # the real solver re-solves in these tests
    inputs.ensure()
    results = []
    for blender in (blender for blender in blenders.BLENDERS if blender.series in ADDON_BLENDERS):
        headline(f"Add-on in Blender {blender.series}")
        if ensure_blender(blender):
            results.append(_addon_in(blender, expression))
    return results


def _addon_in(blender: Blender, expression: str) -> Result:
    home = ROOT / "build" / "homes" / f"addon-{blender.series}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    env = {"HOME": str(home), "BLENDER_USER_RESOURCES": str(home / "blender")}
    folder, name = ROOT / "tests" / "addon", f"addon {blender.series}"
    if expression:
        return _pytest(name, blender.environment.executable, [folder], expression, env)
    # A file a process: what one leaves in Blender (Rigify, undo steps, hundreds of scenes) is no matter to the next.
    results = [
        _pytest(name, blender.environment.executable, [file], "", env) for file in sorted(folder.glob("test_*.py"))
    ]
    return Result(name, all(result.passed for result in results), sum(result.seconds for result in results))


def _e2e(expression: str) -> list[Result]:
    headline("From the zip: install, solve, uninstall")
    python = environment.ensure(environment.DEVELOP)
    inputs.ensure()
    for blender in blenders.BLENDERS:
        ensure_blender(blender)
    for target in targets.select("current"):
        package.build(target)
    return [_pytest("e2e", python, [ROOT / "tests" / "e2e"], expression)]


def _pytest(name: str, python: Path, what: list[Path], expression: str, env: dict[str, str] | None = None) -> Result:
    # -rs prints why a test was left out
    command = [python, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "--durations=5", *what]
    if expression:
        command += ["-k", expression]
    return _timed(name, lambda: run_visibly(command, {**SINGLE_THREADED, **(env or {})}, timeout=25 * MINUTES))


def _timed(name: str, call: Callable[[], bool]) -> Result:
    started = time.monotonic()
    passed = call()
    return Result(name, passed, time.monotonic() - started)


_SUITES = {"style": _style, "solver": _solver, "addon": _addon, "e2e": _e2e}
NAMES = tuple(_SUITES)
