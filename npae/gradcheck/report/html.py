"""A report as HTML for a notebook: what to look at first, and folded, a table of verdicts and maps of the errors.

Text has the colour of the notebook's theme. Verdicts are white on a colour of their own, so that their contrast is the
same in a dark theme.
"""

from collections.abc import Iterator
from html import escape

import numpy as np

from npae.gradcheck.report.findings import BlockReport, Findings, gradient_name
from npae.gradcheck.report.first_look import first_look
from npae.gradcheck.report.heatmap import LIMITS, condensed, shade
from npae.gradcheck.report.verdict import Verdict
from npae.utils.types import Array

ROWS, COLUMNS, CELL = 48, 96, 8  # cells of a heat map, and pixels of a cell
PAPER = {Verdict.PASS: "#15803d", Verdict.KINK: "#a16207", Verdict.CANNOT_TELL: "#475569", Verdict.WRONG: "#b91c1c"}
INK = "#ffffff"
HEAT = ("#dcfce7", "#fef08a", "#fdba74", "#f87171", "#991b1b")  # from right to plainly wrong
UNKNOWN = "#e5e7eb"


def page(report: Findings) -> str:
    """The report as HTML."""
    return "\n".join(_parts(report))


def _parts(report: Findings) -> Iterator[str]:
    yield f"<div><p><b>{escape(report.subject)}</b>: {_verdict(report.verdict)}</p>"
    yield from (f"<p>Look first: {escape(line)}</p>" for line in first_look(report))
    yield f"<details><summary>{len(report.blocks)} gradients, with the evidence</summary>"
    yield "<table><thead><tr><th>gradient</th><th>verdict</th><th>error</th><th>checked</th><th>why</th></tr></thead>"
    for block in report.blocks:
        why = "<br>".join(escape(line) for line in block.lines())
        yield (
            f"<tr><td>{escape(block.gradient)}</td><td>{_verdict(block.verdict)}</td><td>{block.error:.1e}</td>"
            f'<td>{escape(block.coverage)}</td><td style="text-align:left">{why}</td></tr>'
        )
    yield "</table>"
    for block in report.blocks:
        if block.verdict is Verdict.WRONG and block.errors is not None:
            yield heat_map(block, block.errors)
    for invariant in report.invariants:
        if not invariant.holds:
            yield f"<p>{escape(invariant.name)}: does not hold; {escape(invariant.detail)}</p>"
    for name in report.names:
        gradients = ", ".join(map(gradient_name, name.blocks))
        yield (
            f"<p>{escape(gradients)} looks like: <b>{escape(name.bug)}</b> ({escape(name.formula)}). "
            f"{escape(name.hint)}</p>"
        )
    yield from (f"<p>{escape(note)}</p>" for note in report.notes)
    yield from (page(part) for part in report.parts)
    yield "</details></div>"


def _verdict(verdict: Verdict) -> str:
    style = f"color:{INK};background:{PAPER[verdict]};padding:0 0.4em;border-radius:0.2em"
    return f'<b style="{style}">{escape(str(verdict))}</b>'


def heat_map(block: BlockReport, errors: Array) -> str:
    """The error of each entry as an SVG picture: the last axis gives the columns, all others the rows."""
    picture = condensed(errors, ROWS, COLUMNS)
    height, width = (n * CELL for n in picture.shape)
    cells = "".join(
        f'<rect x="{j * CELL}" y="{i * CELL}" width="{CELL}" height="{CELL}" '
        f'fill="{UNKNOWN if np.isnan(e) else HEAT[shade(e)]}"><title>{e:.1e}</title></rect>'
        for (i, j), e in np.ndenumerate(picture)
    )
    steps = ", ".join(f"{limit:.0e}" for limit in LIMITS)
    return (
        f"<p>Error of {escape(block.gradient)} relative to its largest entry; the colour changes at {steps}, and grey "
        f'was not looked at.</p><svg role="img" aria-label="error of {escape(block.gradient)}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">{cells}</svg>'
    )
