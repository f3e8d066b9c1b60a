"""Output on consoles and pipes that lack some characters: Windows' cp1252 and cp437, or ASCII."""

import codecs
import sys
import unicodedata

#: For terminals that cannot show what the left column has.
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
NAME = "npae-plain"  # of what is done with a sign that a stream has not


def be_readable() -> None:
    """Print what standard output and error can show, and the rest in plain letters, from here on.

    Without it a table that is printed after hours of training ends in a UnicodeEncodeError.
    """
    codecs.register_error(NAME, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # else somebody has put a stream of their own there
            stream.reconfigure(errors=NAME)


def shown(text: str) -> str:
    """The text with what would move a terminal's cursor or change its colours written out, by its number."""
    return "".join(sign if _is_harmless(sign) else sign.encode("unicode_escape").decode() for sign in text)


def _is_harmless(sign: str) -> bool:
    return sign.isprintable() or sign in "\n\t" or unicodedata.category(sign) == "Zs"  # a space that breaks no line


def plain(text: str) -> str:
    """The text without the letters that not every terminal has."""
    text = unicodedata.normalize("NFKD", text.translate(str.maketrans(PLAIN)))  # a subscript is a letter
    return text.replace("^-^", "^-")  # e⁻ˣ


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Plain letters for the signs that cannot be encoded, or their numbers where there are none."""
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end]
    letters = plain(signs)
    return letters if letters.isascii() else signs.encode("ascii", "backslashreplace").decode(), error.end
