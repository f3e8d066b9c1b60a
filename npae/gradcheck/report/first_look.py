"""What to look at first in a report: at most two lines, with the finding that explains most, and the next one."""

from collections.abc import Iterable, Iterator

from npae.gradcheck.report.findings import BlockReport, Findings, gradient_name
from npae.gradcheck.report.verdict import Verdict

LINES = 2
#: Without these, differences prove nothing, so they come before all others.
OF_THE_CALLS = ("forward repeats", "backward repeats")


def first_look(report: Findings) -> list[str]:
    """The most useful facts of a report that is not PASS, most useful first; at most two.

    The order: what disturbs the check itself; layers that are wrong when checked alone; known mistakes; gradients that
    could not be used; properties that do not hold; constant ratios; worst entries; what could not be told; kinks. Where
    that is one line, another says which gradients agree with differences.
    """
    if report.verdict is Verdict.PASS:
        return []
    lines: list[str] = []
    told: set[str] = set()
    for blocks, line in _facts(report):
        if len(lines) < LINES and not (blocks and set(blocks) <= told):  # not a second fact about the same gradients
            lines.append(line)
            told |= set(blocks)
    if len(lines) == 1 and not _disturbances(report):
        lines += _agreeing(report)
    return lines


def _facts(report: Findings) -> Iterator[tuple[tuple[str, ...], str]]:
    """The facts in their order: the blocks that each is about, and a line."""
    yield from _disturbances(report)
    for part in report.parts:
        about = first_look(part)
        yield (), f"{part.subject} is wrong when checked alone" + (f": {about[0]}" if about else "")
    for match in report.names:
        yield match.blocks, f"{_list(map(gradient_name, match.blocks))} looks like {match.bug}: {match.hint}"
    wrong = [block for block in report.blocks if block.verdict is Verdict.WRONG]
    same: dict[str, list[BlockReport]] = {}
    for block in wrong:
        if block.reason:
            same.setdefault(block.reason, []).append(block)
    for reason, blocks in same.items():
        yield tuple(b.name for b in blocks), f"{_list(b.gradient for b in blocks)}: {reason}"
    for invariant in report.invariants:
        if invariant.name == "adjoint" and wrong:  # says of a wrong gradient only that it is wrong
            continue
        if not invariant.holds and invariant.name not in OF_THE_CALLS:
            yield (), f"{invariant.name}: {invariant.detail}"
    for block in sorted(wrong, key=lambda block: (block.ratio is None, -block.error)):
        yield (block.name,), _wrongness(block)
    for verdict in (Verdict.CANNOT_TELL, Verdict.KINK):
        for block in report.blocks:
            if block.verdict is verdict:
                yield (block.name,), f"{block.gradient}: {verdict}, {block.reason}"


def _disturbances(report: Findings) -> list[tuple[tuple[str, ...], str]]:
    broken = [i for i in report.invariants if not i.holds and i.name in OF_THE_CALLS]
    why = "differences prove nothing where calls do not repeat"
    return [((), f"{i.name}: {i.detail}; mend this first: {why}") for i in broken]


def _wrongness(block: BlockReport) -> str:
    if block.ratio is not None:
        where = "" if block.checked == block.size else f" in the {block.checked} entries that were measured"
        cause = f": {block.suggestion}" if block.suggestion else ""
        return f"{block.gradient} is {block.ratio:.4g} times the numeric gradient{where}{cause}"
    if block.index is None:
        return f"{block.gradient} is wrong"
    return (
        f"{block.gradient} is wrong; at {block.place(block.index)} it is {block.claimed:.6g}, not {block.numeric:.6g}"
    )


def _agreeing(report: Findings) -> list[str]:
    right = [block.gradient for block in report.blocks if block.verdict is Verdict.PASS]
    if not right:
        return []
    return [f"{_list(right)} {'agrees' if len(right) == 1 else 'agree'} with differences at these inputs"]


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
