"""npae's exceptions, and helpers for their messages: one sentence that says what was given and what to do."""

from collections.abc import Callable, Sequence
from typing import Any


class NotFittedError(ValueError, AttributeError):
    """A method that needs a fitted model was called before ``fit``.

    A subclass of both ``ValueError`` and ``AttributeError``, as scikit-learn's NotFittedError is, so that tools written
    for scikit-learn handle it.

    Examples
    --------
    >>> import npae
    >>> from npae.errors import NotFittedError
    >>> try:
    ...     npae.VanillaAutoencoder().transform([[0.5]])
    ... except NotFittedError as error:
    ...     print(error)
    this VanillaAutoencoder is not fitted yet; call fit(X) first
    """


class FileFormatError(ValueError):
    """A file is truncated, damaged, or not of the kind that was expected.

    Examples
    --------
    >>> from pathlib import Path
    >>> import npae
    >>> from npae.errors import FileFormatError
    >>> _ = Path("model.safetensors").write_bytes(b"no model")
    >>> try:
    ...     npae.load("model.safetensors")
    ... except FileFormatError:
    ...     print("damaged")
    damaged
    """


class CheckpointError(ValueError):
    """A run cannot be resumed from the checkpoints in the folder, because they belong to a different run.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.errors import CheckpointError
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0)
    >>> model = model.fit(X, checkpoints=npae.Checkpoints("run"))
    >>> try:
    ...     model.fit(X + 1, checkpoints=npae.Checkpoints("run", resume=True))
    ... except CheckpointError:
    ...     print("other data")
    other data
    """


class FolderInUseError(OSError):
    """Another process writes into the folder, or the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from npae.errors import FolderInUseError
    >>> from npae.utils.folder_lock import locked
    >>> Path("locked").mkdir()
    >>> with locked(Path("locked")):
    ...     try:
    ...         locked(Path("locked")).__enter__()
    ...     except FolderInUseError:
    ...         print("in use")
    in use
    """


class NonFiniteError(ArithmeticError):
    """A loss or parameter became NaN or infinite; the parameters are those of the last finite epoch.

    Parameters
    ----------
    message : str
        What became infinite, and what to do.
    diagnosis : dict, optional
        Empty by default.

    Attributes
    ----------
    diagnosis : dict
        The circumstances; see ``npae.training.nan_diagnosis.diagnose``.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.errors import NonFiniteError
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, loss="mse", learning_rate=1e30, optimizer="sgd", random_state=0)
    >>> try:
    ...     with np.errstate(all="ignore"):
    ...         model.fit(X)
    ... except NonFiniteError as error:
    ...     print(error.diagnosis["epoch"])
    1
    """

    def __init__(self, message: str, diagnosis: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis or {}


class RankError(OSError):
    """Another process of a training on several has failed, or is not about to run the same.

    Examples
    --------
    >>> from npae.errors import LostRankError, RankError
    >>> try:
    ...     raise LostRankError("rank 1 of 2 is gone")
    ... except RankError as error:
    ...     print(error)
    rank 1 of 2 is gone
    """


class LostRankError(RankError):
    """Another process of a training on several has ended without a word, or stands still.

    Examples
    --------
    >>> from npae.errors import LostRankError, RankError
    >>> issubclass(LostRankError, RankError)
    True
    """


class MissingExtraError(ImportError):
    """An optional dependency is needed and not installed.

    Examples
    --------
    >>> from npae.errors import MissingExtraError
    >>> try:
    ...     raise MissingExtraError("writing MIDI files needs mido; install it: pip install 'npae[music]'")
    ... except ImportError as error:
    ...     print(error)
    writing MIDI files needs mido; install it: pip install 'npae[music]'
    """


QUOTED = 60  # characters
MOST_LISTED, LISTED = 20, 500  # names in a sentence, and characters of all of them


def quoted(value: object) -> str:
    """``repr(value)``, shortened to ``QUOTED`` characters, since names in a file may have any length.

    Parameters
    ----------
    value : object

    Returns
    -------
    str

    Examples
    --------
    >>> from npae.errors import quoted
    >>> quoted("abc"), len(quoted("abc" * 100))
    ("'abc'", 60)
    """
    text = repr(value)
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 4]}...{text[-1]}"


def listed(names: Sequence[object], write: Callable[[object], str] = quoted) -> str:
    """Names for a sentence: at most ``MOST_LISTED``, in ``LISTED`` characters; the rest is counted.

    Parameters
    ----------
    names : sequence
    write : function of a name, default quoted
        What stands for it in the sentence.

    Returns
    -------
    str

    Examples
    --------
    >>> from npae.errors import listed
    >>> listed(["x", "y"])
    "'x', 'y'"
    >>> listed(range(100)), len(listed(["a" * 100] * 20)) < 600
    ('0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 and 80 more', True)
    """
    shown = write(names[0]) if len(names) else ""
    n = min(len(names), 1)
    for name in names[1:MOST_LISTED]:
        longer = f"{shown}, {write(name)}"
        if len(longer) > LISTED:
            break
        shown, n = longer, n + 1
    return f"{shown} and {len(names) - n:,} more" if n < len(names) else shown


def one_line(reason: object, longest: int = 200) -> str:
    r"""A value as part of a sentence: on one line, and safe to print.

    The text may come from a file: control characters and lone surrogates are written as escapes.

    Parameters
    ----------
    reason : object
        Its ``str`` is taken.
    longest : int, default 200
        Number of characters to which it is cut.

    Returns
    -------
    str

    Examples
    --------
    >>> from npae.errors import one_line
    >>> one_line("two\nlines, and a bell \a")
    'two lines, and a bell \\x07'
    """
    text = " ".join(str(reason)[:1000].split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)[:longest]


class Hint(UserWarning):
    """Data or a result that probably was meant otherwise; nothing is changed or refused.

    Examples
    --------
    >>> import warnings
    >>> from npae.errors import Hint
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", Hint)  # no hints here
    """


class ChannelsFirstHint(Hint):
    """Images look as if their channels came before height and width.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import npae
    >>> from npae.errors import ChannelsFirstHint
    >>> X = np.random.default_rng(0).random((32, 3, 16, 16), dtype="float32")
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=32, random_state=0).fit(X)
    >>> [issubclass(warning.category, ChannelsFirstHint) for warning in caught]
    [True]
    """


class WindowsHint(Hint):
    """Windows of a time series were given as images, so that convolutions slide across their channels.

    Examples
    --------
    >>> import warnings
    >>> from npae.errors import WindowsHint
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", WindowsHint)  # of this kind alone
    """


class ScaleHint(Hint):
    """The columns of a table have very different scales.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import npae
    >>> from npae.errors import ScaleHint
    >>> X = np.random.default_rng(0).random((128, 4)) * [1, 1, 1, 10000]
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> [issubclass(warning.category, ScaleHint) for warning in caught]
    [True]
    """


class UnusedCodeHint(Hint):
    """A variational code, or most of its dimensions, says nothing about the samples.

    Examples
    --------
    >>> import warnings
    >>> from npae.errors import UnusedCodeHint
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", UnusedCodeHint)  # an unused code is an error
    """
