"""The report of a check: as text, as JSON values, and as HTML in a notebook."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from npae.gradcheck.report.findings import BlockReport, Findings, gradient_name
from npae.gradcheck.report.first_look import first_look
from npae.gradcheck.report.heatmap import text_map
from npae.gradcheck.report.html import page
from npae.gradcheck.report.verdict import Verdict, band


@dataclass
class Report(Findings):
    """The findings of a check. ``print(report)`` gives text, ``to_dict`` JSON values, a notebook shows HTML.

    ``report["dW"]`` is the report on a block. ``verdict`` is the worst verdict of all blocks, and ``passed`` is whether
    it is PASS or KINK.

    Attributes
    ----------
    subject : str
        What was checked.
    blocks : list of BlockReport
        One for each array that a gradient is taken by.
    invariants : list of Invariant
        The checks that need no finite differences.
    names : list of BugMatch
        The known mistakes that the wrong gradients match.
    parts : list of Report
        For a wrong model: the reports of its layers that are wrong when checked alone.
    notes : list of str
        Remarks for the reader, such as that the function computes in float32.
    seconds : float
        Duration of the check.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check
    >>> report = check(np.sin, lambda g, x: 2 * g * np.cos(x), [np.ones(3)])
    >>> report.passed, report["dx"].checked
    (False, 3)
    >>> print(report.first_look()[0])
    dx is 2 times the numeric gradient...
    """

    parts: list["Report"] = field(default_factory=list)

    def __getitem__(self, name: str) -> BlockReport:
        """The report on a block, by its name ("W") or that of its gradient ("dW"); KeyError where there is none."""
        for block in self.blocks:
            if name in (block.name, block.gradient):
                return block
        known = ", ".join(block.gradient for block in self.blocks)
        raise KeyError(f"no block {name!r} was checked; there are {known}")

    def first_look(self) -> list[str]:
        """What to look at first, in at most two lines; none for PASS.

        Returns
        -------
        list of str
            Most useful first.
        """
        return first_look(self)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.subject}: {self.verdict}"
        for line in self.first_look():
            yield f"  look first: {line}"
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
                for line in text_map(block.errors):
                    yield f"      {line}"
        for invariant in self.invariants:
            if not invariant.holds:
                yield f"  {invariant.name}: does not hold; {invariant.detail}"
        for name in self.names:
            gradients = ", ".join(map(gradient_name, name.blocks))
            yield f"  {gradients} looks like: {name.bug} ({name.formula}). {name.hint}"
        for note in self.notes:
            yield f"  note: {note}"
        for part in self.parts:
            for line in part._lines():
                yield f"  | {line}"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, without arrays; None where a number is not finite.

        The keys are listed in docs/gradcheck.md.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> import numpy as np
        >>> from npae.gradcheck import check
        >>> list(check(np.sin, lambda g, x: g * np.cos(x), [np.ones(3)]).to_dict())
        ['subject', 'verdict', 'passed', 'first_look', 'seconds', 'blocks', 'invariants', 'names', 'parts', 'notes']
        """
        return {
            "subject": self.subject,
            "verdict": str(self.verdict),
            "passed": self.passed,
            "first_look": self.first_look(),
            "seconds": self.seconds,
            "blocks": [_plain(block) for block in self.blocks],
            "invariants": [{**asdict(each), "blocks": list(each.blocks)} for each in self.invariants],
            "names": [{**asdict(name), "blocks": list(name.blocks)} for name in self.names],
            "parts": [part.to_dict() for part in self.parts],
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """HTML for a notebook: what to look at first, and folded, a table of verdicts and maps of the errors."""
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
