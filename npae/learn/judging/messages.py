"""Messages for the learner: the outcome of a check as text of at most one screen, without colour."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TextIO

from npae.learn.catalogue.exercise import HINTS, Exercise
from npae.learn.judging.outcome import Outcome, ReturnedValue
from npae.utils.console import is_quiet, plain, shown

RIGHT, WRONG, OPEN = "✓", "✗", "·"
LARGEST_PRINTED = 500


def write(stream: TextIO, text: str, whole_lines: bool = False) -> None:
    """Print a text, unless all but errors is silent; characters that the stream cannot encode become plain ones.

    On a terminal, long lines are wrapped between words, unless ``whole_lines`` is set for text to be copied.
    """
    if is_quiet():
        return
    text, encoding = shown(text), stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        text = plain(text)
        text = text.encode(encoding, "replace").decode(encoding)
    if stream.isatty() and not whole_lines:
        text = folded(text, shutil.get_terminal_size().columns)
    stream.write(text + "\n")
    stream.flush()


def folded(text: str, columns: int) -> str:
    """The text wrapped at spaces to lines of at most ``columns`` characters, with the indent of each line kept."""
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        fold = textwrap.TextWrapper(columns, subsequent_indent=indent, expand_tabs=False, replace_whitespace=False)
        fold.break_long_words = fold.break_on_hyphens = False
        lines += fold.wrap(line) if len(line) > columns else [line]
    return "\n".join(lines)


def describe(exercise: Exercise, outcome: Outcome) -> str:
    """The outcome of a check in a few lines: what is right, what is wrong and where, and which known mistake it is."""
    return "\n".join(_lines(exercise, outcome))


def _lines(exercise: Exercise, outcome: Outcome) -> Iterator[str]:
    yield from _heads(exercise, outcome)
    wrong = outcome.first_wrong
    if outcome.text:
        yield outcome.text
    if wrong is not None and wrong.index is not None and outcome.status == "wrong":
        yield evidence(exercise, wrong, named=bool(outcome.names))
    if exercise.kind != "hunt":
        yield from _looks(exercise, outcome)
    elif outcome.names:
        yield "It is a known mistake: find it."
    if outcome.printed and not outcome.passed:
        printed = outcome.printed.strip("\n")
        more = "…" if len(printed) > LARGEST_PRINTED else ""
        yield "your print:\n  " + printed[:LARGEST_PRINTED].replace("\n", "\n  ") + more


def _looks(exercise: Exercise, outcome: Outcome) -> Iterator[str]:
    """A line for each known mistake, with the names of the results that it explains where several are wrong."""
    order = [b.name for b in outcome.blocks]
    several = sum(b.right is False for b in outcome.blocks) > 1
    for i, name in enumerate(outcome.names):
        start = "Looks like"
        if several:
            blocks = [exercise.label(b) for b in sorted(name.blocks, key=order.index)]
            start = f"{', '.join(blocks)} {'look' if len(blocks) > 1 else 'looks'} like"
        if i and name.blocks == outcome.names[i - 1].blocks:
            start = "or like"  # two mistakes with the same result
        yield f"{start}: {name.bug}. {name.hint}"


def _heads(exercise: Exercise, outcome: Outcome) -> Iterator[str]:
    """A line with the score, and one more for each function where there are several."""
    looked = sum(b.right is not None for b in outcome.blocks)
    right = sum(b.right is True for b in outcome.blocks)
    compared = all(b.right is not None for b in outcome.blocks if b.function == outcome.function)
    score = f"{right} of {looked} right" if looked and compared and not outcome.passed else ""
    head = f"{exercise.name}  {RIGHT if outcome.passed else WRONG} {score}".rstrip()
    functions = list(dict.fromkeys(b.function for b in outcome.blocks))
    if not looked:
        yield head
    elif len(functions) == 1 or exercise.kind == "fool":
        yield f"{head}   " + "   ".join(_short(exercise, b) for b in outcome.blocks)
    else:
        yield head
        width = max(map(len, functions))
        for function in functions:
            blocks = [_short(exercise, b) for b in outcome.blocks if b.function == function]
            yield f"  {function:<{width}}  " + "   ".join(blocks)


def _short(exercise: Exercise, block: ReturnedValue) -> str:
    label = exercise.label(block.name)
    if block.right is None:
        return f"{label} {OPEN}"
    if not block.right:
        return f"{label} {WRONG}"
    return f"{label} {RIGHT}" + (f" {block.error:.0e}" if block.error else "")


def evidence(exercise: Exercise, block: ReturnedValue, named: bool = False) -> str:
    """The worst entry of a block with both values, and a constant ratio with its likely cause unless ``named``."""
    index = f"[{', '.join(map(str, block.index))}]" if block.index else ""
    several = len(exercise.functions) > 1 and exercise.kind != "fool"
    place = f"{block.function}, " * several + exercise.label(block.name) + index
    yours, true = numbers(block.yours, block.true)
    line = f"{place}: yours {yours}  true {true}"
    if block.ratio is not None:
        is_number = block.errors is not None and block.errors.size == 1
        line += f"  ratio {block.ratio:.3g} {'every time' if is_number else 'everywhere'}"
        if block.suggestion and not named:
            line += f" ({block.suggestion})"
    return f"{line}\n  with {block.given}" if block.given else line


def numbers(yours: float, true: float) -> tuple[str, str]:
    """Both numbers with four digits, or with as many as tell them apart."""
    for digits in (4, 6, 8, 10, 12, 17):
        a, b = (f"{value + 0.0:.{digits}g}" for value in (yours, true))  # + 0.0: no minus zero
        if a != b:
            break
    return a, b


def hint_line(exercise: Exercise, shown: int, key: str = "npae learn hint:") -> str:
    """A line that says how to get the next hint, or the solution after the last one."""
    if shown >= HINTS:
        return f"all {HINTS} hints are shown; npae learn solution {exercise.name} --reveal opens the solution"
    return f"{key} hint {shown + 1}/{HINTS}"


def praise(outcome: Outcome, unlocked: Sequence[str]) -> str:
    """The message after a pass: the worst error, the number of known mistakes excluded, and what is unlocked."""
    lines = []
    if outcome.worst:
        lines.append(f"Right in every entry: the worst error is {outcome.worst:.0e} of the largest.")
    if outcome.excluded:
        known = "1 known mistake is" if outcome.excluded == 1 else f"{outcome.excluded} known mistakes are"
        lines.append(f"With that, {known} excluded.")
    if unlocked:
        lines.append(f"Unlocked: {', '.join(unlocked)}.")
    return "\n".join(lines)
