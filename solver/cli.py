"""The command line: solve, serve, overlay, camera, export, import, sample. Nothing else in the package prints."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from . import __version__, messages
from .camera.formats import commands as cameras
from .errors import SolverError
from .formats import commands as formats
from .prior import commands as prior

STYLES = ("filled", "outline", "confidence", "difference")
QUALITIES = ("initial", "draft", "balanced", "final")
EXIT_FAILED, EXIT_CANCELLED, EXIT_UNREAD = 1, 130, 141


def main(arguments: list[str]) -> int:
    """Run one subcommand; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    sys.stdout.reconfigure(errors="backslashreplace")  # a file name that a terminal can't show must not end a solve
    try:
        return options.run(options)
    except SolverError as error:
        print(f"error ({error.code}): {error.sentence}\n  {error.repair}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return EXIT_CANCELLED
    except BrokenPipeError:  # whoever read our output has had enough; Python would complain once more at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNREAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="solver", description="Two hands and one camera in one metric world.")
    parser.add_argument("--version", action="version", version=f"solver {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_solve(commands)
    _add_overlay(commands)
    formats.add(commands, _frame_rate)
    cameras.add(commands)
    prior.add(commands)
    serve = commands.add_parser("serve", help="stay alive and answer requests, one JSON message per line")
    serve.set_defaults(run=_serve)
    return parser


def _add_solve(commands) -> None:
    solve = commands.add_parser("solve", help="solve a clip and write a take")
    solve.add_argument("clip", help="a movie, the first image of a sequence, or its folder")
    solve.add_argument("-o", "--output", required=True, metavar="TAKE.npz")
    solve.add_argument("--frames", nargs=2, type=int, metavar=("FIRST", "LAST"), help="solve only these frames")
    solve.add_argument("--focal", type=float, metavar="PX", help="focal length in pixels of the clip")
    solve.add_argument(
        "--intrinsics", nargs=4, type=float, metavar=("FX", "FY", "CX", "CY"), help="all of the lens that a pinhole has"
    )
    solve.add_argument(
        "--distortion", nargs="+", type=float, default=(), metavar="K", help="with --intrinsics: k1 k2 ... of the model"
    )
    solve.add_argument("--distortion-model", default="POLYNOMIAL", help="POLYNOMIAL, BROWN, DIVISION or NUKE")
    solve.add_argument("--camera", metavar="FILE", help="a solved camera: .chan, COLMAP's folder, or .npz")
    solve.add_argument("--camera-offset", type=float, default=0.0, metavar="FRAMES", help="added to its frame numbers")
    solve.add_argument("--camera-rate", type=_frame_rate, metavar="RATE", help="its frame rate, if not the clip's")
    solve.add_argument(
        "--camera-scale", type=_camera_scale, default="auto", metavar="M",
        help="metres per unit of it; hands: found by the hands; auto (default): that for COLMAP, 1 for others",
    )  # fmt: skip
    solve.add_argument("--camera-order", default="ZXY", metavar="ORDER", help="of the turns in a .chan (default ZXY)")
    solve.add_argument("--static", action="store_true", help="the camera stands still; don't find out")
    solve.add_argument("--model", default="auto", help="auto, open, or the path of your own MANO files")
    solve.add_argument("--quality", choices=QUALITIES, default="balanced")
    solve.add_argument("--hand-length", type=float, metavar="M", help="wrist to middle fingertip, in metres")
    solve.add_argument(
        "--known-length", nargs=6, type=float, metavar=("FRAME", "X0", "Y0", "X1", "Y1", "M"),
        help="two places in a frame's picture, in px, and the metres between them",
    )  # fmt: skip
    solve.add_argument("--camera-height", type=float, metavar="M", help="of the camera over the floor in view")
    solve.add_argument(
        "--frame-rate", type=_frame_rate, metavar="RATE", help="of an image sequence, e.g. 24 or 30000/1001"
    )
    solve.add_argument(
        "--mask", action="append", default=[], type=_mask, metavar="left|right|hands=MATTE",
        help="a movie or image sequence of your own, white where the hand is",
    )  # fmt: skip
    solve.add_argument(
        "--long-gaps", choices=("absent", "rest"), default="absent",
        help="a hand that is out of sight for 2 s and more is absent (default), or rests where it was last seen",
    )  # fmt: skip
    solve.add_argument("--prior", metavar="PRIOR.npz", help="a trained motion prior, for fingers that nothing shows")
    solve.add_argument(
        "--render", action="store_true",
        help="in final, and on masks of your own: after the outlines, fit the hands as rendered to their masks",
    )  # fmt: skip
    solve.add_argument(
        "--along", nargs="+", choices=("poses", "focal", "scale"), default=(),
        help="solve these of the camera together with the hands, as far as its own solve is unsure of them",
    )  # fmt: skip
    solve.add_argument("--without", nargs="+", default=(), metavar="PART", help="leave parts of the optimiser out")
    solve.add_argument("--cache", metavar="FOLDER", help="keep each stage's result here and resume from it")
    solve.add_argument("--json", action="store_true", help="print the messages themselves, one JSON object a line")
    solve.set_defaults(run=_solve)


def _add_overlay(commands) -> None:
    overlay = commands.add_parser("overlay", help="draw a take's hands over its clip")
    overlay.add_argument("take", metavar="TAKE.npz")
    overlay.add_argument("-o", "--output", metavar="OVERLAY.mp4")
    overlay.add_argument("--sheet", metavar="SHEET.png", help="a contact sheet of frames from the whole clip")
    overlay.add_argument(
        "--style", choices=STYLES, default=STYLES[0],
        help="shaded; outlines; tinted from red to green by how sure; or where hands and picture differ "
        "(red: only the hand is there, blue: only the picture's)",
    )  # fmt: skip
    overlay.add_argument("--clip", help="where the clip is now, if it has moved")
    overlay.add_argument("--model", default="auto")
    overlay.set_defaults(run=_overlay)


def _solve(options: argparse.Namespace) -> int:
    from . import pipeline
    from .options import SolveOptions

    solve_options = SolveOptions(
        frame_range=tuple(options.frames) if options.frames else None,
        focal_px=options.focal,
        intrinsics=tuple(options.intrinsics) if options.intrinsics else None,
        distortion=tuple(options.distortion),
        distortion_model=options.distortion_model,
        camera=options.camera,
        camera_offset=options.camera_offset,
        camera_rate=options.camera_rate,
        camera_scale=options.camera_scale,
        camera_order=options.camera_order,
        camera_motion="static" if options.static else "auto",
        model=options.model,
        quality=options.quality,
        hand_length_m=options.hand_length,
        known_length=tuple(options.known_length) if options.known_length else None,
        camera_height_m=options.camera_height,
        frame_rate=options.frame_rate,
        cache=options.cache,
        masks=dict(options.mask) or None,
        without=tuple(options.without),
        along=tuple(options.along),
        render=options.render,
        prior=options.prior,
        long_gaps=options.long_gaps,
    )
    cancelled = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: cancelled.set())
    stream = pipeline.solve(options.clip, options.output, solve_options, cancelled.is_set)
    return _print_messages(stream, as_json=options.json)


def _frame_rate(text: str) -> tuple[int, int]:
    """Of "24" or "30000/1001"; argparse reports a ValueError itself."""
    try:
        return Fraction(text).as_integer_ratio()
    except ZeroDivisionError as error:
        raise argparse.ArgumentTypeError(f"{text} divides by zero") from error


def _camera_scale(text: str) -> float | str:
    try:
        return text if text in ("auto", "hands") else float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'{text} is not a number, "hands" or "auto"') from error


def _mask(text: str) -> tuple[str, str]:
    """Of "left=PATH"."""
    of, separator, path = text.partition("=")
    if not (separator and path):
        raise argparse.ArgumentTypeError(f"{text} is not of the form left=PATH")
    return of, path


def _print_messages(stream: Iterator[messages.Message], as_json: bool) -> int:
    last = messages.Message()
    for last in stream:
        line = messages.encode(last) if as_json else _for_people(last)
        if line:
            print(
                line, flush=True, file=sys.stderr if isinstance(last, messages.Failed) and not as_json else sys.stdout
            )
    if isinstance(last, messages.Finished):
        return EXIT_CANCELLED if last.cancelled else 0
    return EXIT_FAILED


def _for_people(message: messages.Message) -> str:
    match message:
        case messages.ClipOpened(path=path, width=width, height=height, frame_rate=(num, den)):
            frames = message.last_frame - message.first_frame + 1
            return f"{Path(path).name}: {width}x{height}, {frames} frames at {num / den:.6g} fps"
        case messages.StageStarted(title=title, index=index, count=count):
            return f"[{index + 1}/{count}] {title} ..."
        case messages.StageFinished(wall_seconds=wall, cpu_seconds=cpu):
            return f"      {wall:.1f} s, {cpu:.1f} CPU s"
        case messages.Warned(sentence=sentence, repair=repair):
            return f"warning: {sentence} {repair}"
        case messages.Finished(take=take, cancelled=cancelled, summary=summary):
            kept = f"cancelled, kept {take}" if take else "cancelled"
            return f"{kept if cancelled else f'wrote {take}'}\n{summary}"
        case messages.Failed(code=code, sentence=sentence, repair=repair):
            return f"error ({code}): {sentence}\n  {repair}"
    return ""


def _serve(_: argparse.Namespace) -> int:
    from . import serve

    return serve.serve(sys.stdin, serve.claim_stdout())


def _overlay(options: argparse.Namespace) -> int:
    from .overlay import video
    from .overlay.drawing import Style

    if not (options.output or options.sheet):
        raise SolverError("nothing-to-draw", "Neither an overlay nor a sheet was asked for.", "Give -o or --sheet.")
    for done, total in video.render(
        options.take, options.output, options.sheet, options.clip, options.model, Style(options.style)
    ):
        if sys.stderr.isatty():
            print(f"\r{done}/{total}", end="" if done < total else os.linesep, file=sys.stderr)
    return 0
