"""The outcome of a check, as plain data."""

from dataclasses import dataclass, field

from npae.utils.types import Array, Shape

STATUSES = ("pass", "wrong", "shape", "error", "timeout", "memory", "missing", "crash")


@dataclass(frozen=True)
class Name:
    """The known mistake that a wrong result looks like."""

    bug: str
    formula: str
    hint: str
    blocks: tuple[str, ...]


@dataclass
class Block:
    """One thing that a function returns: a gradient, or a value.

    Attributes
    ----------
    function, name : str
        ("backward", "dW")
    shape : tuple of int
    right : bool or None
        None where it could not be looked at.
    error : float
        The largest difference in all cases, as a fraction of the largest entry.
    index, yours, true : tuple of int or None, float, float
        The entry that is furthest off, in the first case where one is.
    ratio : float or None
        yours / true, where it is the same everywhere.
    suggestion : str
        What such a ratio usually comes from.
    errors : ndarray or None
        The relative error of every entry there.
    given : str
        The arguments of that case, where all are single numbers.
    """

    function: str
    name: str
    shape: Shape = ()
    right: bool | None = None
    error: float = 0.0
    index: tuple[int, ...] | None = None
    yours: float = float("nan")
    true: float = float("nan")
    ratio: float | None = None
    suggestion: str = ""
    errors: Array | None = field(default=None, repr=False)
    given: str = ""


@dataclass
class Outcome:
    """The verdict on one exercise.

    Attributes
    ----------
    exercise : str
    status : str
        One of ``STATUSES``; the first that applies of missing, crash, timeout, memory, error, shape, wrong, pass.
    function : str
        The function that the status is about, where it is not a pass.
    text : str
        What happened, for the learner; empty where the blocks say it.
    blocks : list of Block
    names : list of Name
        The known mistakes that the wrong blocks look like.
    excluded : int
        How many known mistakes a pass has been told apart from.
    printed : str
        What the learner's functions printed in the first call of each.
    seconds : float
    """

    exercise: str
    status: str = "pass"
    function: str = ""
    text: str = ""
    blocks: list[Block] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    excluded: int = 0
    printed: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.status == "pass"

    @property
    def bug(self) -> str:
        """The first known mistake by name, or nothing."""
        return self.names[0].bug if self.names else ""

    @property
    def worst(self) -> float:
        """The largest error of all blocks."""
        return max((b.error for b in self.blocks), default=0.0)

    @property
    def first_wrong(self) -> Block | None:
        """The block to begin with."""
        return next((b for b in self.blocks if b.right is False), None)
