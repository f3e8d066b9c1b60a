"""The cells of a table: numbers, marks of missing values, and numbers that are written in another way than 1234.5."""

import math
import re

MISSING = ("?", "-", ".", "n/a", "#n/a", "na", "<na>", "nan", "nat", "none", "null")  # in small letters
TRUTH = ("true", "false")
#: What spreadsheets and C libraries write where a computation failed, in small letters.
FAILED = ("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "1.#qnan", "1.#inf", "1.#ind", "nan(ind)")
DECIMAL_COMMA = re.compile(r"[+-]?\d[\d.' ]*(,\d+)+(\.\d+)?([eE][+-]?\d+)?")
#: Between groups of three digits: apostrophes and spaces, narrow and unbreakable ones too, or two points or more.
THOUSANDS = re.compile("[+-]?\\d{1,3}(?:(?:[ '\u2019\u00a0\u2009\u202f]\\d{3})+(?:[.,]\\d+)?|(?:\\.\\d{3}){2,})")
MINUS = str.maketrans(dict.fromkeys("\u2010\u2012\u2013\u2212", "-"))  # which look like it
MONEY = "$\u20ac\u00a3\u00a5"
BOUNDS = "<>\u2264\u2265~"


def is_number(cell: str) -> bool:
    """Whether a cell is a number as a table writes it."""
    if "_" in cell:  # Python reads 1_000 as a number; in a table it is rather a name
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_finite_number(cell: str) -> bool:
    """Whether a cell is a number that is neither NaN nor infinite."""
    return is_number(cell) and math.isfinite(float(cell))


def is_number_and_more(cell: str) -> bool:
    """Whether a cell is several numbers with spaces between them, as a line without commas is."""
    words = cell.split()
    return len(words) > 1 and all(map(is_number, words))


def is_missing(cell: str) -> bool:
    """Whether a cell is a text that usually stands for a missing value."""
    return cell.strip().lower() in MISSING


def is_failed(cell: str) -> bool:
    """Whether a cell is what a spreadsheet or a C library writes where a computation has no result."""
    return cell.strip().lower().removeprefix("-") in FAILED


def is_rounded(cell: str) -> bool:
    """Whether a cell is a whole number that no floating-point number is, such as a long identifier."""
    text = cell.strip().removeprefix("+").removeprefix("-")
    return text.isdecimal() and len(text) > 15 and int(text) != int(float(text))


def is_written_as_number(cell: str) -> bool:
    """Whether a cell is a number, and hardly a name, that has a comma, marks between thousands or another minus."""
    text = cell.strip().translate(MINUS)
    is_other = DECIMAL_COMMA.fullmatch(text) or THOUSANDS.fullmatch(text)
    return is_other is not None or (text != cell.strip() and is_number(text))


def number_otherwise(cell: str) -> tuple[str, str] | None:
    """Of a number that is written otherwise: what it is, and how to write it; None of all other cells."""
    text = cell.strip()
    core = text.translate(MINUS).strip(f"%{MONEY}{BOUNDS} \u00a0\u2009\u202f")
    has_comma = DECIMAL_COMMA.fullmatch(core) is not None
    has_marks = THOUSANDS.fullmatch(core) is not None
    is_plain = is_number(core) and any(map(str.isdecimal, core))
    if (core == text and is_plain) or not (has_comma or has_marks or is_plain):
        return None
    if has_comma:
        return "with a decimal comma, or commas between thousands", "write numbers as 1234.5"
    if has_marks:
        return "with marks between thousands", "write numbers as 1234.5"
    if "%" in text:
        return "a percentage", "write numbers alone, such as 12 or 0.12 for 12 %"
    if any(mark in text for mark in MONEY):
        return "an amount of money", "write numbers alone"
    if any(mark in text for mark in BOUNDS):
        return "a bound or an estimate", "write numbers alone"
    if text.translate(MINUS) != text:
        return "with a dash for a minus", "write negative numbers with a hyphen, as -1"
    return None
