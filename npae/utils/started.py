"""Python processes that this one starts look for modules where it does, and not in the working directory.

``python -m`` and ``python -c`` look there first, before the standard library, and a folder of data may hold a
``multiprocessing.py``. The command ``npae`` does not look there, so what it starts must not either.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SAFE_PATH = "PYTHONSAFEPATH"  # of Python's own: that processes get -P


def python_command(program: str, *arguments: str) -> list[str]:
    """The command that runs ``program``, Python source, with this process's ``sys.path``.

    Parameters
    ----------
    program : str
        ``sys`` is imported; it finds ``arguments`` in ``sys.argv[1:]``.
    *arguments : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> import subprocess
    >>> command = python_command("print(sys.argv[1:])", "a")
    >>> subprocess.run(command, capture_output=True, encoding="utf-8").stdout.strip()
    "['a']"
    """
    begin = f"import sys; sys.path[:] = sys.argv[1:{len(sys.path) + 1}]; del sys.argv[1:{len(sys.path) + 1}]"
    return [sys.executable, "-P", "-c", f"{begin}\n{program}", *sys.path, *arguments]


@contextmanager
def safe_path() -> Iterator[None]:
    """Within, Python processes that libraries start look for no module in the working directory.

    Those of ``multiprocessing`` get this process's ``sys.path`` as soon as they have begun.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before
