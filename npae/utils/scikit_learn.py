"""scikit-learn, where it is installed: it is an extra, imported only by what needs it."""

import io
import warnings
from contextlib import redirect_stderr
from functools import cache
from importlib.util import find_spec

from npae.utils.errors import MissingExtraError


def has_sklearn() -> bool:
    """Whether scikit-learn is installed; it is not imported."""
    return find_spec("sklearn") is not None


def require_sklearn(what: str) -> None:
    """Raise MissingExtraError if scikit-learn is not installed."""
    if not has_sklearn():
        raise MissingExtraError(f"{what} needs scikit-learn, which is not installed; pip install 'npae[sklearn]'")
    _count_processors()


@cache
def _count_processors() -> None:
    """Make joblib, which counts processors for scikit-learn, do so now, without warnings.

    If the system does not report physical cores, as without ``/sys``, joblib correctly uses all processors, but the
    first time it prints a traceback and a warning, which is an error under ``python -W error``.
    """
    from joblib import cpu_count

    with warnings.catch_warnings(action="ignore"), redirect_stderr(io.StringIO()):
        cpu_count(only_physical_cores=True)
