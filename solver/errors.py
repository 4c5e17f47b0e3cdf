"""The one error type that reaches a person: what went wrong, and what to do about it."""

from __future__ import annotations


class SolverError(Exception):
    """A failure that the person at the other end can mend.

    Attributes:
        code: stable identifier in kebab case, e.g. ``"clip-not-readable"``.
        sentence: what is wrong, one sentence, names the file or value concerned.
        repair: what to do about it, one sentence in the imperative.
    """

    def __init__(self, code: str, sentence: str, repair: str) -> None:
        super().__init__(f"{sentence} {repair}")
        self.code = code
        self.sentence = sentence
        self.repair = repair
