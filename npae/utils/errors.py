"""npae's exceptions: each message is one sentence that says what was given and what to do."""

from typing import Any


class NotFittedError(ValueError, AttributeError):
    """A model was asked for something before ``fit``.

    Subclasses both ``ValueError`` and ``AttributeError``, as scikit-learn's own error does, so that tools written
    for it understand this one.
    """


class FileFormatError(ValueError):
    """A file is truncated, damaged, or not of the kind that was expected."""


class CheckpointError(ValueError):
    """A run cannot go on from the checkpoints that are there, since they are another run's."""


class FolderInUseError(OSError):
    """Another process writes into the folder, or the file."""


class NonFiniteError(ArithmeticError):
    """Training met NaN or infinity; the parameters are those of the last good epoch.

    Attributes
    ----------
    diagnosis : dict
        What was there when it happened; see ``npae.training.nan_diagnosis.diagnose``.
    """

    def __init__(self, message: str, diagnosis: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis or {}


class MissingExtraError(ImportError):
    """An optional dependency is needed and not installed."""


QUOTED = 60  # characters


def quoted(value: object) -> str:
    """``repr(value)``, cut where it is long: a file may hold a name of a million characters, a sentence may not."""
    text = repr(value)
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 4]}...{text[-1]}"


def one_line(reason: object, longest: int = 200) -> str:
    """A reason in which a file may be quoted, as the part of a sentence: cut, on one line, without control characters.

    What a terminal would obey, and half characters that it cannot show, stand as escapes.
    """
    text = " ".join(str(reason)[:1000].split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)[:longest]
