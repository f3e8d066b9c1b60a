"""What comes back when a learner's function is called, whether in this process or in one of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from npae.utils.types import Array


@dataclass(frozen=True)
class CallError:
    """Why there are no values.

    Attributes
    ----------
    status : {"missing", "shape", "error", "timeout", "memory", "crash"}
        "missing": no such function, or not written yet; "shape": what was returned is no array of numbers.
    text : str
        One paragraph for the learner; only frames of their own files.
    """

    status: str
    text: str


@dataclass(frozen=True)
class CallResult:
    """The outcome of one call.

    Attributes
    ----------
    values : tuple of ndarray or None
        A copy of each returned array, of whatever dtype and shape it has; None where there is a trouble.
    trouble : Trouble or None
    printed : str
        What the learner's code printed meanwhile, at most a screen of it.
    seconds : float
    changed : tuple of int
        Positions of the arguments that the function wrote into.
    """

    values: tuple[Array, ...] | None
    trouble: CallError | None = None
    printed: str = ""
    seconds: float = 0.0
    changed: tuple[int, ...] = ()


class Caller(Protocol):
    """What calls a learner's functions by name."""

    def call(self, function: str, arguments: Sequence[Any]) -> CallResult:
        """Call ``function`` with copies of ``arguments``: arrays, numbers, strings, None, and tuples of these."""
        ...


def miscounted(function: str, values: Sequence[Array], names: Sequence[str]) -> str:
    """What to say of a function that returns too few results, or too many; a list of numbers is one array."""
    got = f"{len(values)} values"
    if len(values) == 1:
        got = f"1 value, an array of shape {values[0].shape}" if values[0].ndim else "1 value"
    expected = ", ".join(names)
    return f"{function} returns {got}; expected {len(names)}: {expected}, as in: return {expected}"
