"""Size, stride and padding of a layer's window, used to name mistakes."""

from typing import Any


def window_hints(layer: Any) -> dict[str, Any]:
    """Options for the library of mistakes, from the attributes of npae's window layers; empty for any other layer."""
    rows, columns = (getattr(layer, name, None) for name in ("rows", "columns"))
    if rows is None or columns is None or not hasattr(rows, "before"):
        return {}
    return {
        "size": (rows.window, columns.window),
        "stride": (rows.stride, columns.stride),
        "padding": ((rows.before, rows.after), (columns.before, columns.after)),
        "counts_border": False,
    }
