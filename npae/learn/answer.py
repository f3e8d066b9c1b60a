"""What calling a learner's function gives: values, or the trouble there was. Whoever calls, this comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from npae.types import Array


@dataclass(frozen=True)
class Trouble:
    """Why there are no values.

    Attributes
    ----------
    status : str
        missing (no such function, or not written yet), error, shape (no numbers came back), timeout, memory or crash.
    text : str
        For the learner: what happened, with the lines of their own file.
    """

    status: str
    text: str


@dataclass(frozen=True)
class Answer:
    """One call's result.

    Attributes
    ----------
    values : tuple of ndarray, or None
        What was returned; a single value is a tuple of one.
    trouble : Trouble or None
    printed : str
        What the function printed.
    seconds : float
    changed : tuple of int
        The places of the arguments that the function wrote into.
    """

    values: tuple[Array, ...] | None
    trouble: Trouble | None = None
    printed: str = ""
    seconds: float = 0.0
    changed: tuple[int, ...] = ()


class Caller(Protocol):
    """Calls a learner's functions by name, in this process or in another."""

    def call(self, function: str, arguments: Sequence[Any]) -> Answer:
        """The function's answer to these arguments, which stay as they are."""
        ...
