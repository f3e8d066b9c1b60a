"""Output on terminals and pipes whose encoding lacks some characters, such as cp1252, cp437 or ASCII."""

import codecs
import sys
import unicodedata

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


def say(text: object, *, to_errors: bool = False) -> None:
    """Print a text on standard output, or on standard error, as ``shown``: names in it may come from anywhere."""
    print(shown(str(text)), file=sys.stderr if to_errors else sys.stdout, flush=True)


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
