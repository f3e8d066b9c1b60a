"""What a check has found: a verdict for each block, with the evidence beside it."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from npae.gradcheck.subject import gradient_name
from npae.gradcheck.verdict import Verdict, band, worst
from npae.types import Array, Shape


@dataclass
class Manner:
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
class Report:
    """What a check has found.

    Attributes
    ----------
    subject : str
        What was checked.
    blocks : list of BlockReport
    manners : list of Manner
        The checks that need no step.
    names : list of Name
        What the wrong gradients look like.
    parts : list of Report
        Of a wrong model: the layers that are wrong by themselves.
    notes : list of str
    seconds : float
    """

    subject: str
    blocks: list[BlockReport]
    manners: list[Manner] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    parts: list["Report"] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The worst of all blocks; WRONG where a manner does not hold."""
        if not all(manner.holds for manner in self.manners):
            return Verdict.WRONG
        if not self.blocks and not self.manners:
            return Verdict.CANNOT_TELL
        return worst(block.verdict for block in self.blocks)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong: PASS or KINK."""
        return self.verdict in (Verdict.PASS, Verdict.KINK)

    def __getitem__(self, name: str) -> BlockReport:
        """The block "W"; "dW" means the same."""
        for block in self.blocks:
            if name in (block.name, block.gradient):
                return block
        known = ", ".join(block.gradient for block in self.blocks)
        raise KeyError(f"no block {name!r} was checked; there are {known}")

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.subject}: {self.verdict}"
        width = max((len(block.gradient) for block in self.blocks), default=0)
        for block in self.blocks:
            word = f" ({band(block.error)})" if block.verdict is Verdict.WRONG and np.isfinite(block.error) else ""
            yield (
                f"  {block.gradient:<{width}}  {block.verdict!s:<10}  error {block.error:.1e}{word}  "
                f"checked {block.coverage}"
            )
            for line in block.lines():
                yield f"      {line}"
            if block.verdict is Verdict.WRONG and block.errors is not None:
                from npae.gradcheck.errormap import text_map

                for line in text_map(block.errors):
                    yield f"      {line}"
        for manner in self.manners:
            if not manner.holds:
                yield f"  {manner.name}: does not hold; {manner.detail}"
        for name in self.names:
            gradients = ", ".join(map(gradient_name, name.blocks))
            yield f"  {gradients} looks like: {name.bug} ({name.formula}). {name.hint}"
        for note in self.notes:
            yield f"  note: {note}"
        for part in self.parts:
            for line in part._lines():
                yield f"  | {line}"

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays, as plain JSON values."""
        return {
            "subject": self.subject,
            "verdict": str(self.verdict),
            "seconds": self.seconds,
            "blocks": [_plain(block) for block in self.blocks],
            "manners": [asdict(manner) for manner in self.manners],
            "names": [{**asdict(name), "blocks": list(name.blocks)} for name in self.names],
            "parts": [part.to_dict() for part in self.parts],
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """For a notebook: the verdicts as a table, and a heat map of the error of every wrong block."""
        from npae.gradcheck.page import page

        return page(self)


def _plain(block: BlockReport) -> dict[str, Any]:
    values = {
        key: value for key in block.__dataclass_fields__ if not isinstance(value := getattr(block, key), np.ndarray)
    }
    values.pop("errors", None)
    values["verdict"], values["gradient"], values["coverage"] = str(block.verdict), block.gradient, block.coverage
    values["shape"] = list(block.shape)
    values["index"] = None if block.index is None else list(block.index)
    # JSON has no NaN and no infinity.
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
