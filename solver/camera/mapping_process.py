"""Entry of the mapping process: ``python -I mapping_process.py PATHS JOB.npz ANSWER.npz``.

PATHS are the parent's ``sys.path`` joined by the separator of paths. Says ``done total`` in lines on stdout and ends by
itself when stdin closes, which is when the parent has gone.
"""

import os
import sys
import threading


def _end_with_parent() -> None:
    # not through sys.stdin, whose lock would be held when the interpreter ends
    while os.read(0, 4096):
        pass
    os._exit(1)


def main() -> None:
    sys.path[:0] = sys.argv[1].split(os.pathsep)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from pathlib import Path

    from solver.camera import job, mapping

    answer = Path(sys.argv[3])
    models = mapping.run(job.load_job(Path(sys.argv[2])), answer.parent, _report)
    job.save_models(models, answer)
    sys.stdout.flush()
    # skips taking the models apart, which takes seconds for long clips
    os._exit(0)


def _report(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
