"""Runs a command and prints, as a last line, what it used. Standard library alone, and small on purpose.

On Linux a program's largest memory is counted from the process that started it, before its own image is loaded; started
by this one it is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys


def main(command: list[str]) -> int:
    process = subprocess.Popen(command)
    if not hasattr(os, "wait4"):
        return process.wait()
    _, status, usage = os.wait4(process.pid, 0)
    unit = 1e6 if sys.platform == "darwin" else 1e3  # macOS tells bytes, Linux kilobytes
    used = {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / unit}
    print(json.dumps({"type": "Used", **used}), flush=True)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
