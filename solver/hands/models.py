"""LiteRT wrapper: a .tflite file as a function of one float32 image."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..errors import SolverError

DATA = Path(__file__).resolve().parent.parent / "data"


_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what LiteRT writes to stderr about its delegate, in every console and log; it has no switch for that, and
    what goes wrong it raises."""
    with _one_at_a_time, Path(os.devnull).open("wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


class Network:
    """One model on one thread. Not for use from several threads at once.

    ``calls`` and ``cpu_seconds`` count what it did so far.
    """

    def __init__(self, name: str) -> None:
        """Load ``DATA/name``.

        Raises:
            SolverError: ``model-missing``.
        """
        path = DATA / name
        if not path.is_file():
            raise SolverError(
                "model-missing", f"The hand tracker's model {name} is missing.", "Install the extension again."
            )
        with _quiet():
            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=1)
            self._interpreter.allocate_tensors()
        self.calls, self.cpu_seconds = 0, 0.0
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        """Outputs (copies, in the file's order) for ``image`` (h, w, 3) float32 in 0..1."""
        started = time.process_time()
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        self.calls, self.cpu_seconds = self.calls + 1, self.cpu_seconds + time.process_time() - started
        return [self._interpreter.get_tensor(index) for index in self._outputs]
