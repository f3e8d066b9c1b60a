"""Output on terminals and pipes whose encoding lacks some characters, such as cp1252, cp437 or ASCII."""

import codecs
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

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

    Otherwise printing a table after hours of training could end in a UnicodeEncodeError.
    """
    codecs.register_error(NAME, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not so for streams that a caller has put there
            stream.reconfigure(errors=NAME)


@dataclass
class _Streams:
    is_quiet: bool = False
    has_results: bool = False
    names: dict[str, str] = field(default_factory=dict)


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


def is_quiet() -> bool:
    """Whether nothing but errors and results is to be printed."""
    return _streams.is_quiet


def shows_progress() -> bool:
    """Whether a progress bar is wanted: on a terminal, unless all but errors is silent."""
    return not _streams.is_quiet and sys.stderr.isatty()


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
    if not (_streams.is_quiet or _is_silent):
        to_errors = to_errors or _streams.has_results
        print(shown(renamed(str(text))), file=sys.stderr if to_errors else sys.stdout, flush=True)


def say_result(text: str) -> None:
    """Print on standard output what a program is to read."""
    if not _is_silent:
        print(text, flush=True)


def say_error(text: str) -> None:
    """Print an error on standard error, whatever else is silent."""
    if not _is_silent:
        print(shown(renamed(text)), file=sys.stderr, flush=True)


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
