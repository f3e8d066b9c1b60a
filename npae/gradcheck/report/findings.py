"""The findings of a gradient check as plain data: a verdict for each block, with the evidence for it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from npae.gradcheck.report.verdict import Verdict, worst
from npae.utils.types import Array, Shape


def gradient_name(block: str) -> str:
    """The name of the gradient by a block: "W" -> "dW", "encoder.0.W" -> "encoder.0.dW", "p.W[0]" -> "p.dW[0]"."""
    name, bracket, indices = block.partition("[") if "]." not in block else (block, "", "")
    owner, dot, last = name.rpartition(".")
    return f"{owner}{dot}d{last}{bracket}{indices}"


@dataclass
class Invariant:
    """The result of a check that needs no finite differences.

    Attributes
    ----------
    name : str
        The property that was checked.
    holds : bool
    detail : str
        What was measured where it does not hold; else empty, or why the property was not checked.
    blocks : tuple of str
        The blocks concerned.
    how : {"", "draws", "accumulates"}
        Why backward does not repeat, where that is known; see ``Bug.how``.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check
    >>> [each.holds for each in check(np.sin, lambda g, x: g * np.cos(x), [np.ones(3)]).invariants][:1]
    [True]
    """

    name: str
    holds: bool
    detail: str = ""
    blocks: tuple[str, ...] = ()
    how: str = ""


@dataclass(frozen=True)
class BugMatch:
    """A known mistake that a wrong gradient matches.

    Attributes
    ----------
    bug : str
        Name of the mistake in ``npae.gradcheck.bugs``.
    formula : str
        The wrong gradient.
    hint : str
        What is wrong with it, in a sentence.
    blocks : tuple of str
        The blocks whose gradients match.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check
    >>> rng = np.random.default_rng(0)
    >>> x, W = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))
    >>> report = check(lambda x, W: x @ W, lambda g, x, W: (g @ W, x.T @ g), [x, W])  # g @ W.T would be right
    >>> [(match.bug, match.formula) for match in report.names]
    [('no-transpose', 'dX = g W')]
    """

    bug: str
    formula: str
    hint: str
    blocks: tuple[str, ...]


@dataclass
class BlockReport:
    """The findings about one block: one array and the gradient by it.

    Attributes
    ----------
    name : str
        Name of the block ("W"); ``gradient`` is the name of its gradient ("dW").
    shape : tuple of int
    verdict : Verdict
    reason : str
        The reason for the verdict; may be empty.
    error : float
        The largest difference of an entry, relative to the largest entry of the block; the verdict depends on it.
    index : tuple of int or None
        Index of that entry.
    claimed, numeric : float
        The gradient there, as backward gives it and as measured by differences; NaN where nothing was measured.
    error_estimate : float
        Estimated error of ``numeric``, relative to the block's largest entry.
    checked, size : int
        Number of entries that were measured one by one, and number of entries.
    directions : int
        Number of random directions along which the whole block was moved.
    taylor_slope : float
        About 2 where the gradient is right, about 1 where it is wrong.
    kinks : int
        Number of entries at a kink.
    ratio : float or None
        claimed / numeric, where it is the same for all entries.
    suggestion : str
        What the ratio may mean; empty without one.
    errors : ndarray of the block's shape, or None
        The relative error of each entry; NaN where it was not measured.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check
    >>> block = check(np.sin, lambda g, x: 2 * g * np.cos(x), [np.ones(3)]).blocks[0]
    >>> block.gradient, str(block.verdict), round(block.ratio, 6)
    ('dx', 'WRONG', 2.0)
    >>> block.place((0,))
    'dx[0]'
    >>> len(list(block.lines()))
    3
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

    def place(self, index: tuple[int, ...]) -> str:
        """The name of an entry of the gradient: "dW[0, 2]".

        Parameters
        ----------
        index : tuple of int
            One number for each axis of the block.

        Returns
        -------
        str
        """
        return f"{self.gradient}[{', '.join(map(str, index))}]"

    @property
    def coverage(self) -> str:
        """How much was measured: "12 of 20 + 4 directions"."""
        entries = f"{self.checked} of {self.size}"
        return f"{entries} + {self.directions} directions" if self.directions else entries

    def lines(self) -> Iterator[str]:
        """The evidence as lines of text; none for a plain PASS.

        Yields
        ------
        str
            One line without its end.
        """
        if self.reason:
            yield self.reason
        if self.index is not None and self.verdict is not Verdict.PASS:
            yield (
                f"{self.place(self.index)}: claimed {self.claimed:.6g}, numeric {self.numeric:.6g}, "
                f"known to {self.error_estimate:.0e} of the largest entry"
            )
        # Where the difference is small or only near a few values, the remainder falls as if the gradient were right.
        if self.verdict is Verdict.WRONG and self.taylor_slope < 1.5:
            yield f"Taylor slope {self.taylor_slope:.2f} (2 when right, 1 when wrong)"
        if self.ratio is not None:
            where = "everywhere" if self.checked == self.size else f"in the {self.checked} entries that were measured"
            yield f"ratio {self.ratio:.4g} {where}: {self.suggestion}".rstrip(": ")


@dataclass
class DirectionalReport(BlockReport):
    """The findings about the derivative of one output along directions of one input.

    Attributes
    ----------
    output, along : str
        The derivative's name ("dy"), and the input that was moved ("x"); ``name`` is "dy along x".
    """

    output: str = ""
    along: str = ""

    @property
    def gradient(self) -> str:
        return self.name

    def place(self, index: tuple[int, ...]) -> str:
        entry = f"[{', '.join(map(str, index))}]" if index else ""
        return f"{self.output}{entry} along {self.along}"


@dataclass
class Findings:
    """The findings of a check as data; ``Report`` adds text, JSON and HTML.

    Attributes
    ----------
    subject : str
        What was checked.
    blocks : list of BlockReport
    invariants : list of Invariant
        The checks that need no finite differences.
    names : list of BugMatch
        The known mistakes that the wrong gradients match.
    parts : list of Findings
        For a wrong model: the reports of its layers that are wrong when checked alone.
    notes : list of str
        Remarks for the reader, such as that the function computes in float32.
    seconds : float
        Duration of the check.
    """

    subject: str
    blocks: list[BlockReport]
    invariants: list[Invariant] = field(default_factory=list)
    names: list[BugMatch] = field(default_factory=list)
    parts: Sequence["Findings"] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all blocks; WRONG where an invariant does not hold."""
        if not all(invariant.holds for invariant in self.invariants):
            return Verdict.WRONG
        if not self.blocks and not self.invariants:
            return Verdict.CANNOT_TELL
        return worst(block.verdict for block in self.blocks)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong: PASS or KINK."""
        return self.verdict in (Verdict.PASS, Verdict.KINK)
