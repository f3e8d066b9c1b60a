"""Size, stride and padding that a layer states of its window, for naming mistakes."""

from typing import Any


def window_hints(layer: Any) -> dict[str, Any]:
    """Options of the library's windows, from the attributes that npae's window layers have; empty for any other."""
    rows, columns = (getattr(layer, name, None) for name in ("rows", "columns"))
    if rows is None or columns is None or not hasattr(rows, "before"):
        return {}
    return {
        "size": (rows.window, columns.window),
        "stride": (rows.stride, columns.stride),
        "padding": ((rows.before, rows.after), (columns.before, columns.after)),
        "counts_border": False,
    }
