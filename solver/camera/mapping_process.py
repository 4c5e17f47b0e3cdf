"""Entry of the mapping process: ``python -I mapping_process.py PATHS JOB.npz ANSWER.npz``.

PATHS are the parent's ``sys.path`` joined by the separator of paths. Says ``done total`` in lines on stdout and ends by
itself when stdin closes, which is when the parent has gone, or when it has used more CPU time than any background that
can be solved needs.
"""

import os
import sys
import threading
import time

# Shots that can be solved take some 0.1 CPU seconds a frame. Points that contradict each other (a person before a black
# curtain) send the mapper round in circles for minutes.
CPU_SECONDS, CPU_SECONDS_PER_FRAME = 20.0, 0.25
GAVE_UP = 3


def _end_with_parent() -> None:
    # not through sys.stdin, whose lock would be held when the interpreter ends
    while os.read(0, 4096):
        pass
    os._exit(1)


def _end_after(cpu_seconds: float) -> None:
    while time.process_time() < cpu_seconds:
        time.sleep(0.5)
    sys.stderr.write("no path was found in the time that a clip of this length may take\n")
    sys.stderr.flush()
    os._exit(GAVE_UP)


def main() -> None:
    sys.path[:0] = sys.argv[1].split(os.pathsep)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from pathlib import Path

    from solver.camera import job, mapping

    answer = Path(sys.argv[3])
    work = job.load_job(Path(sys.argv[2]))
    limit = CPU_SECONDS + CPU_SECONDS_PER_FRAME * work.frame_count
    threading.Thread(target=_end_after, args=(limit,), daemon=True).start()
    models = mapping.run(work, answer.parent, _report, limit)
    job.save_models(models, answer)
    sys.stdout.flush()
    # skips taking the models apart, which takes seconds for long clips
    os._exit(0)


def _report(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
