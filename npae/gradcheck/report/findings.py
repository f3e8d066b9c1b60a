"""What a check has found, as plain data: a verdict for each block, with the evidence beside it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from npae.gradcheck.report.verdict import Verdict, worst
from npae.utils.types import Array, Shape


def gradient_name(block: str) -> str:
    """The gradient by a block, as the field writes it: "W" -> "dW", "encoder.0.W" -> "encoder.0.dW"."""
    owner, dot, name = block.rpartition(".")
    return f"{owner}{dot}d{name}"


@dataclass
class Invariant:
    """The result of a check that needs no step: whether it holds, and what was seen where it does not."""

    name: str
    holds: bool
    detail: str = ""
    blocks: tuple[str, ...] = ()
    how: str = ""


@dataclass
class Name:
    """A known mistake that a wrong gradient looks like."""

    bug: str
    formula: str
    hint: str
    blocks: tuple[str, ...]


@dataclass
class BlockReport:
    """What was found about one block.

    Attributes
    ----------
    name : str
        Of the block ("W"); ``gradient`` is the name of its gradient ("dW").
    verdict : Verdict
    reason : str
        Why, in words.
    error : float
        The largest difference, relative to the largest entry of the block: the number that decides.
    index : tuple of int or None
        Where it is; ``claimed`` and ``numeric`` are the two values there.
    error_estimate : float
        How far ``numeric`` may be off, relative to the block's largest entry too.
    checked, size : int
        Entries whose own difference was taken, and entries.
    directions : int
        Random directions that moved the whole block.
    taylor_slope : float
        2 where the gradient is right, about 1 where it is wrong.
    ratio : float or None
        claimed / numeric, where it is the same everywhere.
    errors : ndarray or None
        The relative error of every entry; NaN where none was taken.
    """

    name: str
    shape: Shape
    verdict: Verdict = Verdict.PASS
    reason: str = ""
    error: float = 0.0
    index: tuple[int, ...] | None = None
    claimed: float = math.nan
    numeric: float = math.nan
    error_estimate: float = math.nan
    checked: int = 0
    size: int = 0
    directions: int = 0
    taylor_slope: float = math.nan
    kinks: int = 0
    ratio: float | None = None
    suggestion: str = ""
    errors: Array | None = field(default=None, repr=False)

    @property
    def gradient(self) -> str:
        return gradient_name(self.name)

    @property
    def coverage(self) -> str:
        """How much was looked at."""
        entries = f"{self.checked} of {self.size}"
        return f"{entries} + {self.directions} directions" if self.directions else entries

    def lines(self) -> Iterator[str]:
        """The evidence, where there is something to say."""
        if self.reason:
            yield self.reason
        if self.index is not None and self.verdict is not Verdict.PASS:
            place = f"{self.gradient}[{', '.join(map(str, self.index))}]"
            yield (
                f"{place}: claimed {self.claimed:.6g}, numeric {self.numeric:.6g}, "
                f"known to {self.error_estimate:.0e} of the largest entry"
            )
        if self.verdict in (Verdict.WRONG, Verdict.CANNOT_TELL) and math.isfinite(self.taylor_slope):
            yield f"Taylor slope {self.taylor_slope:.2f} (2 when right, 1 when wrong)"
        if self.ratio is not None:
            yield f"ratio {self.ratio:.4g} everywhere: {self.suggestion}".rstrip(": ")


@dataclass
class Findings:
    """What a check has found, as data; ``Report`` adds how it is shown.

    Attributes
    ----------
    subject : str
        What was checked.
    blocks : list of BlockReport
    invariants : list of Invariant
        The checks that need no step.
    names : list of Name
        What the wrong gradients look like.
    parts : list of Findings
        Of a wrong model: the layers that are wrong by themselves.
    notes : list of str
    seconds : float
    """

    subject: str
    blocks: list[BlockReport]
    invariants: list[Invariant] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    parts: Sequence["Findings"] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The worst of all blocks; WRONG where an invariant does not hold."""
        if not all(invariant.holds for invariant in self.invariants):
            return Verdict.WRONG
        if not self.blocks and not self.invariants:
            return Verdict.CANNOT_TELL
        return worst(block.verdict for block in self.blocks)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong: PASS or KINK."""
        return self.verdict in (Verdict.PASS, Verdict.KINK)
