"""npae's exceptions, and helpers for their messages: one sentence that says what was given and what to do."""

from typing import Any


class NotFittedError(ValueError, AttributeError):
    """A method that needs a fitted model was called before ``fit``.

    A subclass of both ``ValueError`` and ``AttributeError``, as scikit-learn's NotFittedError is, so that tools written
    for scikit-learn handle it.
    """


class FileFormatError(ValueError):
    """A file is truncated, damaged, or not of the kind that was expected."""


class CheckpointError(ValueError):
    """A run cannot be resumed from the checkpoints in the folder, because they belong to a different run."""


class FolderInUseError(OSError):
    """Another process writes into the folder, or the file."""


class NonFiniteError(ArithmeticError):
    """A loss or parameter became NaN or infinite; the parameters are those of the last finite epoch.

    Attributes
    ----------
    diagnosis : dict
        The circumstances; see ``npae.training.nan_diagnosis.diagnose``.
    """

    def __init__(self, message: str, diagnosis: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis or {}


class RankError(OSError):
    """Another process of a training on several has failed, or is not about to run the same."""


class LostRankError(RankError):
    """Another process of a training on several has ended without a word, or stands still."""


class MissingExtraError(ImportError):
    """An optional dependency is needed and not installed."""


QUOTED = 60  # characters


def quoted(value: object) -> str:
    """``repr(value)``, shortened to ``QUOTED`` characters, since names in a file may have any length."""
    text = repr(value)
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 4]}...{text[-1]}"


def one_line(reason: object, longest: int = 200) -> str:
    """``str(reason)`` as part of a sentence: on one line, at most ``longest`` characters, safe to print.

    The text may come from a file: control characters and lone surrogates are written as escapes.
    """
    text = " ".join(str(reason)[:1000].split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)[:longest]


class Hint(UserWarning):
    """Data or a result that probably was meant otherwise; nothing is changed or refused."""


class ChannelsFirstHint(Hint):
    """Images look as if their channels came before height and width."""


class WindowsHint(Hint):
    """Windows of a time series were given as images, so that convolutions slide across their channels."""


class ScaleHint(Hint):
    """The columns of a table have very different scales."""


class UnusedCodeHint(Hint):
    """A variational code, or most of its dimensions, says nothing about the samples."""
