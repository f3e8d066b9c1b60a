"""Output on terminals and pipes whose encoding lacks some characters, such as cp1252, cp437 or ASCII."""

import codecs
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TextIO

#: Replacements for characters that an encoding may lack.
PLAIN: dict[str, str | int | None] = dict.fromkeys(map(chr, range(0x2500, 0x2580)), "+")  # corners of boxes
PLAIN |= {
    "✓": "ok", "✗": "WRONG", "▸": ">", "·": "*", "−": "-", "–": "-", "×": "x", "…": "...", "→": "->",
    "─": "-", "│": "|", "—": "-", "←": "<-", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "Σ": "sum ", "∂": "d",
    "√": "sqrt", "′": "'", "ε": "eps", "σ": "sigma", "μ": "mu", "β": "beta", "λ": "lambda", "η": "eta", "θ": "theta",
    "ᵀ": "^T", "δ": "delta", "ℓ": "l", "²": "^2", "³": "^3", "½": "1/2", "∞": "inf", "⊗": " outer ",
    "ₙ": "_n", "ᵢ": "_i", "ⱼ": "_j",
    "ₖ": "_k", "±": "+-", "¹": "^1", "ˣ": "^x", "ᵗ": "^t", "ᶻ": "^z", "⁻": "^-", "″": "''", "‴": "'''",
    "\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar",
    "“": '"', "”": '"', "‘": "'", "’": "'", "∈": "in", "∇": "grad ", "‖": "|",
    "░": ":", "▒": "+", "▓": "%", "█": "#",
}  # fmt: skip
NAME = "npae-plain"  # name of the error handler for characters that a stream cannot encode


def be_readable() -> None:
    """From now on replace characters that standard output and standard error cannot encode by plain letters.

    Otherwise printing a table after hours of training could end in a UnicodeEncodeError. A stream that the process was
    started without becomes the null device.
    """
    _open_missing()
    codecs.register_error(NAME, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not so for streams that a caller has put there
            stream.reconfigure(errors=NAME)


def _open_missing() -> None:
    """Python has None for streams that are closed, as by ``>&-``, pythonw and some schedulers.

    In the order of their numbers, each of which is free: else the next file that is opened would get that of standard
    output, and what the compiler prints would go into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (for the rest of the process)
            _streams.has_output &= name != "stdout"


@dataclass
class _Streams:
    is_quiet: bool = False
    has_results: bool = False
    has_output: bool = True
    names: dict[str, str] = field(default_factory=dict)
    unfinished: str | None = None  # name of what sentences wait for
    waiting: list[str] = field(default_factory=list)


_streams = _Streams()


@contextmanager
def speaking(*, quiet: bool = False, results: bool = False) -> Iterator[None]:
    """Within, ``say`` is silent if ``quiet``; with ``results`` it leaves standard output to ``say_result``."""
    before = vars(_streams).copy()
    vars(_streams).update(is_quiet=quiet, has_results=results)
    try:
        yield
    finally:
        vars(_streams).update(before)


@contextmanager
def named(names: dict[str, str]) -> Iterator[None]:
    """Within, texts that are printed have the values of ``names`` in place of its keys, such as a temporary file's."""
    before, _streams.names = _streams.names, names
    try:
        yield
    finally:
        _streams.names = before


@contextmanager
def unfinished(name: str) -> Iterator[None]:
    """Within, sentences about ``name`` wait until the end, when they are true; after an error they are not said."""
    before = _streams.unfinished, _streams.waiting
    _streams.unfinished, _streams.waiting = name, []
    try:
        yield
        waiting = _streams.waiting
    finally:
        _streams.unfinished, _streams.waiting = before
    for text in waiting:
        say(text)


def is_quiet() -> bool:
    """Whether nothing but errors and results is to be printed."""
    return _streams.is_quiet


def has_output() -> bool:
    """Whether the process was started with a standard output."""
    return _streams.has_output


def shows_progress() -> bool:
    """Whether a progress bar is wanted: on a terminal, unless all but errors is silent."""
    return not _streams.is_quiet and sys.stderr is not None and sys.stderr.isatty()


_is_silent = False


def be_silent() -> None:
    """From now on nothing is printed: this process is one of several, of which the first speaks."""
    global _is_silent
    _is_silent = True


def is_silent() -> bool:
    """Whether nothing is printed."""
    return _is_silent


def say(text: object, *, to_errors: bool = False) -> None:
    """Print a text on standard output, or on standard error, as ``shown``: names in it may come from anywhere."""
    if _streams.unfinished is not None and _streams.unfinished in str(text) and not to_errors:
        _streams.waiting.append(str(text))
    elif not (_streams.is_quiet or _is_silent):
        line = shown(renamed(str(text)))
        if to_errors or _streams.has_results:
            _print_error(line)
        else:
            _print(line)


def say_result(text: str) -> None:
    """Print on standard output what a program is to read."""
    if not _is_silent:
        _print(text)


def say_error(text: str) -> None:
    """Print an error on standard error, whatever else is silent."""
    if not _is_silent:
        _print_error(shown(renamed(text)))


def say_help(text: str, *, to_errors: bool = False) -> None:
    """Print a help text, the version or a mistake in use as it is, with no line break added."""
    if to_errors:
        _print_error(text, end="")
    else:
        _print(text, end="")


def _print(text: str, end: str = "\n") -> None:
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        raise OSError(
            f"standard output cannot be written ({error.strerror}); make room, or send it to another place"
        ) from None


def discard(*streams: TextIO) -> None:
    """Send these streams, of which one is closed or full, to the null device from now on.

    Otherwise Python, which keeps what could not be written, tries again at the end of the process, prints the error a
    second time and ends with an exit code of its own.
    """
    for stream in streams:
        with suppress(OSError, ValueError):  # a stream that a caller has put there may have no number
            number = stream.fileno()
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), number)


def _print_error(text: str, end: str = "\n") -> None:
    """A warning that cannot be printed, as on a full disk, does not end the work."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        discard(sys.stderr)


def renamed(text: str) -> str:
    """The text with the names of ``named`` replaced."""
    for name, as_shown in _streams.names.items():
        text = text.replace(name, as_shown)
    return text


def shown(text: str) -> str:
    """The text with what would move a terminal's cursor or change its colours written out, by its number."""
    return "".join(sign if _is_harmless(sign) else sign.encode("unicode_escape").decode() for sign in text)


def _is_harmless(sign: str) -> bool:
    return sign.isprintable() or sign in "\n\t" or unicodedata.category(sign) == "Zs"  # a space that breaks no line


def plain(text: str) -> str:
    """The text with special characters replaced by those of PLAIN, and accents and subscripts decomposed."""
    text = unicodedata.normalize("NFKD", text.translate(str.maketrans(PLAIN)))  # a subscript becomes a letter
    return text.replace("^-^", "^-")  # e⁻ˣ


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Error handler: plain letters for characters that cannot be encoded, or escapes where there are none."""
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end]
    letters = plain(signs)
    return letters if letters.isascii() else signs.encode("ascii", "backslashreplace").decode(), error.end
