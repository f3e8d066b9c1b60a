"""The outcome of a check, as plain data."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from npae.gradcheck.report.findings import BugMatch
from npae.utils.types import Array, Shape

if TYPE_CHECKING:
    from npae.learn.judging.cases import Case

STATUSES = ("pass", "wrong", "shape", "error", "timeout", "memory", "missing", "crash")


@dataclass
class ReturnedValue:
    """One result of a function: a gradient or a value.

    Attributes
    ----------
    function, name : str
        Names of the function and of the result, such as "backward" and "dW".
    shape : tuple of int
    right : bool or None
        None where it was not checked.
    error : float
        The largest difference, as a fraction of the largest entry: of all cases, or of the first wrong one.
    index, yours, true : tuple of int or None, float, float
        The worst entry of the first wrong case, and its two values.
    ratio : float or None
        yours / true, where it is the same for all entries.
    suggestion : str
        The likely cause of such a ratio.
    errors : ndarray or None
        The relative error of each entry in that case.
    given : str
        The arguments of that case, where all are single numbers.
    reason : str
        Why it is not right, in words; empty where it is.
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
    reason: str = ""


@dataclass
class Outcome:
    """The verdict on one exercise.

    Attributes
    ----------
    exercise : str
    status : str
        One of ``STATUSES``; the first that applies of missing, crash, timeout, memory, error, shape, wrong, pass.
    function : str
        The function that failed; empty for a pass.
    text : str
        The message for the learner; empty where the blocks say it.
    blocks : list of ReturnedValue
    names : list of BugMatch
        The known mistakes that the wrong blocks match.
    excluded : int
        Number of known mistakes that the passed checks exclude.
    printed : str
        What the last function that was checked printed, in the first call that printed anything.
    seconds : float
        Duration of the check.
    case : Case or None
        The first case at which it failed; None for a pass, and where no function was called.
    """

    exercise: str
    status: str = "pass"
    function: str = ""
    text: str = ""
    blocks: list[ReturnedValue] = field(default_factory=list)
    names: list[BugMatch] = field(default_factory=list)
    excluded: int = 0
    printed: str = ""
    seconds: float = 0.0
    case: "Case | None" = field(default=None, repr=False)

    @property
    def passed(self) -> bool:
        return self.status == "pass"

    @property
    def bug(self) -> str:
        """The name of the first known mistake, or ""."""
        return self.names[0].bug if self.names else ""

    @property
    def worst(self) -> float:
        """The largest error of all blocks."""
        return max((b.error for b in self.blocks), default=0.0)

    @property
    def first_wrong(self) -> ReturnedValue | None:
        """The first wrong block, or None."""
        return next((b for b in self.blocks if b.right is False), None)
