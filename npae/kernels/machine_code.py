"""Machine code on disk: a file for each kernel and types of arguments, which is whole and the right one, or not used.

Where it lies is Numba's choice: in ``NUMBA_CACHE_DIR`` where that is set, and then nowhere else, otherwise beside the
kernels or in the user's own cache folder. How it is kept is npae's own: Numba has an index, which may name a file that
another process has replaced or a full disk has never let be written, and it unpickles whatever is there. Here a file's
name is the digest of what it is for, and its content is preceded by a digest of itself.
"""

import hashlib
import os
import pickle
import secrets
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from npae.kernels.shared_code import needed_by, provide

HEAD = b"npae machine code 2\n"
DIGEST = hashlib.sha256().digest_size

_base: Any = FunctionCache
_impl_base: Any = CompileResultCacheImpl
_config: Any = config
_runtime: Any = rtsys
_dumps: Callable[[Any], bytes] = dumps
_warned: set[str] = set()


class DamagedError(Exception):
    """A file is not what was written."""


class Files:
    """The files of one kernel.

    Parameters
    ----------
    folder : Path
    base : str
        What their names begin with.
    """

    def __init__(self, folder: Path, base: str) -> None:
        self._folder, self._base = folder, base

    def path(self, key: Any) -> Path:
        """The file for these types, target and byte code."""
        return self._folder / f"{self._base}.{hashlib.sha256(repr(key).encode()).hexdigest()[:20]}.nbc"

    def load(self, key: Any) -> Any:
        """What was saved for the key; None where nothing was.

        Raises
        ------
        DamagedError
            Where the file is not as it was written.
        OSError
            Where it cannot be read.
        """
        try:
            content = self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        start = len(HEAD) + DIGEST
        digest, pickled = content[len(HEAD) : start], content[start:]
        if not content.startswith(HEAD) or hashlib.sha256(pickled).digest() != digest:
            raise DamagedError("it is not as it was written")
        said, data = pickle.loads(pickled)
        if said != repr(key):
            raise DamagedError("it is of another kernel")
        return data

    def save(self, key: Any, data: Any) -> None:
        """Write the file completely or not at all."""
        pickled = _dumps((repr(key), data))
        path = self.path(key)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            temporary.write_bytes(HEAD + hashlib.sha256(pickled).digest() + pickled)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def set_aside(self, key: Any) -> None:
        """Rename a file that cannot be used, as far as that is allowed."""
        with suppress(OSError):
            os.replace(self.path(key), f"{self.path(key)}.damaged")

    def flush(self) -> None:
        """Remove all of them."""
        for path in self._folder.glob(f"{self._base}.*.nbc"):
            with suppress(OSError):
                path.unlink()


class _WithNeeded(_impl_base):  # type: ignore[misc]
    """What is pickled: the machine code, and before it the shared functions that it calls."""

    def reduce(self, data: Any) -> Any:
        return needed_by(data.library), super().reduce(data)

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        needed, reduced = payload
        provide(needed)
        return super().rebuild(target_context, reduced)


class MachineCode(_base):  # type: ignore[misc]
    """A kernel's cache: Numba's own, but for the files.

    Raises
    ------
    RuntimeError
        Where nothing can be kept.
    """

    _impl_class = _WithNeeded

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        folder, wanted = Path(self._cache_path), _config.CACHE_DIR
        if wanted and not folder.resolve().is_relative_to(Path(wanted).resolve()):
            raise RuntimeError(f"NUMBA_CACHE_DIR is {wanted!r}, which cannot be written")
        self._cache_file = Files(folder, self._impl.filename_base)

    def has(self, kinds: tuple[Any, ...], codegen: Any) -> bool:
        """Whether there is a file for these types."""
        found: bool = self._cache_file.path(self._index_key(kinds, codegen)).exists()
        return found

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for these types; None, and one warning, where it cannot be used.

        Numba would first import all that it compiles with, which takes longer than to load a network's kernels. Machine
        code only needs the functions that allocate memory; the compiler imports the rest when it begins.
        """
        try:
            _runtime.initialize(target_context)
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except MemoryError:  # it says nothing of the file, and to compile takes more
            raise MemoryError(
                "there is too little memory to load the machine code of the kernels; raise the limit of this process, "
                "or close other programs"
            ) from None
        except Exception as error:  # of pickle, of LLVM, of the drive: whatever it is, there is the compiler
            self._cache_file.set_aside(self._index_key(sig, target_context.codegen()))
            warn_once(
                f"machine code in {self._cache_path} cannot be used ({_reason(error)}); it is set aside, where that "
                f"may be done, as a file that ends in .damaged, and compiled anew"
            )
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled; one warning where that is not possible."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            warn_once(
                f"machine code cannot be kept in {self._cache_path} ({_reason(error)}), and is compiled anew in every "
                f"process; make room there, or set NUMBA_CACHE_DIR to a folder that can be written"
            )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def warn_once(text: str) -> None:
    """Warn, unless a text with the same beginning, up to the place that it names, has been a warning before."""
    kind = text.partition(" in ")[0]
    if kind not in _warned:
        _warned.add(kind)
        warnings.warn(text, RuntimeWarning, stacklevel=4)
