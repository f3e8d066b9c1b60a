"""Dates with a time, as learning platforms write them."""

import re
from datetime import datetime


def time_of(text: str) -> float | None:
    """A date with a time as seconds since 1970; None where it is none. Without a zone it is local time."""
    match = re.match(
        r"\s*(\d{4})-(\d\d)-(\d\d)[ _T](\d\d)[:_-](\d\d)[:_-](\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", text
    )
    if not match:
        return None
    zone = {"Z": "+00:00", "UTC": "+00:00", None: ""}.get(match[7], match[7] or "")
    year, month, day, *clock = match.groups()[:6]
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{':'.join(clock)}{zone}").timestamp()
    except (ValueError, OverflowError):
        return None
