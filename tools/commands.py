"""The subcommands of ``build.py``. Each is a few calls; the work is in the neighbouring modules."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from . import bench, blenders, demo, environment, extension_tool, inputs, package, repository, suites, targets, wheels
from .console import ROOT, BuildError, headline, megabytes, say, step


def main(arguments: list[str]) -> int:
    """Run one subcommand; without arguments, list them. Returns the exit status."""
    parser = _parser()
    if not arguments:
        parser.print_help()
        return 0
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except BuildError as error:
        print(f"\n{error.sentence}\n\nWhat to do: {error.repair}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py", description="Builds, tests and shows Handheld.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name, run, text):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("setup", _setup, "make the environments and the solver's data")
    show = add("demo", _demo, "install the extension into a Blender and solve a clip through it")
    show.add_argument(
        "clip", nargs="?", type=Path, default=demo.DEFAULT_CLIP, help="a video; default: one that comes along"
    )
    test = add("test", _test, "run all tests, or the suites named")
    test.add_argument("suites", nargs="*", metavar="SUITE", help=f"any of: {', '.join(suites.NAMES)}")
    test.add_argument("-k", metavar="EXPRESSION", default="", help="only tests that match, as pytest's -k")
    build = add("build", _build, "make the zips and the static repository in dist/")
    build.add_argument("--platform", default="all", help="all, current, or one of: " + ", ".join(_platforms()))
    measure = add("bench", _bench, "measure the product on rendered clips with known motion")
    measure.add_argument("clips", nargs="*", metavar="CLIP", help="default: all of the suite")
    measure.add_argument(
        "--suite", choices=tuple(bench.CLIPS), default="test", help="test is reported; validation is what to tune on"
    )
    measure.add_argument(
        "--quick",
        action="store_true",
        help=f"only {' and '.join(bench.QUICK)}; with --infill, a small part of each table",
    )
    measure.add_argument("--make", action="store_true", help="only render the clips that are missing")
    measure.add_argument("--ablate", action="store_true", help="leave out one part after another: what is each worth?")
    measure.add_argument(
        "--infill", type=Path, metavar="RECORDINGS", help="what fills a gap best: candidates of the prior side by side"
    )
    measure.add_argument("--update-baseline", action="store_true", help="make the results the new baseline")
    add("lock", _lock, "write the hashes of the solver's dependencies anew, after a change of version")
    clean = add("clean", _clean, "remove what the other commands made")
    clean.add_argument("--environments", action="store_true", help="the virtual environments and downloads too")
    return parser


def _platforms() -> list[str]:
    return [platform.name for platform in targets.PLATFORMS]


def _setup(options: argparse.Namespace) -> int:
    headline("Set-up")
    environment.ensure(environment.DEVELOP)
    inputs.ensure()
    for blender in blenders.BLENDERS:
        suites.ensure_blender(blender)
    return 0


def _demo(options: argparse.Namespace) -> int:
    demo.run(options.clip)
    return 0


def _test(options: argparse.Namespace) -> int:
    return suites.run(options.suites, options.k)


def _build(options: argparse.Namespace) -> int:
    headline("Build")
    inputs.ensure()
    chosen = targets.select(options.platform)
    if not chosen:
        raise BuildError(f"{options.platform} is no platform.", f"Choose all, current, {', '.join(_platforms())}.")
    blenders.ensure(blenders.DEFAULT)
    archives = [package.build(target) for target in chosen]
    for archive in archives:
        with step(f"{archive.name}: {megabytes(archive.stat().st_size)}, Blender's validator"):
            extension_tool.validate(archive)
    with step("static repository"):
        repository.generate(archives, package.DIST / "repository")
    table = package.DIST / "contents.md"
    table.write_text("\n".join(package.contents(archive) for archive in archives), encoding="utf-8")
    say(f"what is in them: {table.relative_to(ROOT)}")
    return 0


def _bench(options: argparse.Namespace) -> int:
    if options.infill:
        return bench.infill(options.infill.resolve(), options.quick)
    more = [
        flag
        for flag, wanted in (("--update-baseline", options.update_baseline), ("--ablate", options.ablate))
        if wanted
    ]
    return bench.run(options.clips, options.suite, options.quick, options.make, more)


def _lock(options: argparse.Namespace) -> int:
    wheels.lock()
    return 0


def _clean(options: argparse.Namespace) -> int:
    made = [package.DIST, demo.DEMO, inputs.DATA]
    if options.environments:
        made += [wheels.DOWNLOADS.parent, *(folder for folder in ROOT.glob(".venv*") if folder.is_dir())]
    for folder in made:
        _remove(folder)
    return 0


def _remove(folder: Path) -> None:
    if folder.is_dir():
        with step(f"removing {folder.relative_to(ROOT)}"):
            shutil.rmtree(folder)
