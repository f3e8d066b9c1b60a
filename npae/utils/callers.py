"""Where the package was called from: the line that a warning names."""

import sys

PACKAGE = __name__.partition(".")[0]


def level_of_caller() -> int:
    """The ``stacklevel`` of a warning, in the function that calls this one, that names the first line outside of npae.

    Returns
    -------
    int

    Examples
    --------
    >>> level_of_caller() >= 1
    True
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == PACKAGE:
        level, frame = level + 1, frame.f_back
    return level
