"""The result of a call of a learner's function, in this process or in a sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from npae.utils.types import Array


@dataclass(frozen=True)
class CallError:
    """The reason why a call gave no values.

    Attributes
    ----------
    status : {"missing", "shape", "error", "timeout", "memory", "crash"}
        "missing": no such function, or not written yet; "shape": the result is no array of numbers.
    text : str
        One paragraph for the learner, with traceback frames of the learner's files only.
    """

    status: str
    text: str


@dataclass(frozen=True)
class CallResult:
    """The outcome of one call.

    Attributes
    ----------
    values : tuple of ndarray or None
        A copy of each returned array, of any dtype and shape; None where there is a trouble.
    trouble : CallError or None
    printed : str
        The output that the learner's code printed, cut off after ``MOST_PRINTED`` characters.
    seconds : float
        Duration of the call.
    changed : tuple of int
        Positions of the arguments that the function wrote into.
    """

    values: tuple[Array, ...] | None
    trouble: CallError | None = None
    printed: str = ""
    seconds: float = 0.0
    changed: tuple[int, ...] = ()


class Caller(Protocol):
    """Interface: calls a learner's functions by name."""

    def call(self, function: str, arguments: Sequence[Any]) -> CallResult:
        """Call ``function`` with copies of ``arguments``: arrays, numbers, strings, None, and tuples of these."""
        ...


def miscounted(function: str, values: Sequence[Array], names: Sequence[str]) -> str:
    """The message for a function that returns too few or too many results."""
    got = f"{len(values)} values"
    if len(values) == 1:
        got = f"1 value, an array of shape {values[0].shape}" if values[0].ndim else "1 value"
    expected = ", ".join(names)
    if len(names) == 1 < len(values) and values[0].ndim and len({value.shape for value in values}) == 1:
        return f"{function} returns {got}; expected 1: {expected}; np.array makes one array of a list of rows"
    return f"{function} returns {got}; expected {len(names)}: {expected}, as in: return {expected}"
