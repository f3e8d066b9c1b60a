"""``ShardSource``: samples that lie in many files, or in one that is larger than memory."""

import glob
import hashlib
import os
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npae.datasets.containers import HDF5_SEPARATOR, Hdf5Shard, ParquetShard, ZarrShard, is_zarr
from npae.datasets.image_files import OF_SYSTEMS
from npae.datasets.image_files import SUFFIXES as IMAGE_SUFFIXES
from npae.datasets.shard_files import ArrayShard, NpyShard, Shard
from npae.utils.errors import FileFormatError, quoted
from npae.utils.scalars import real_number
from npae.utils.sources import Source, chunk_bounds
from npae.utils.types import Array
from npae.utils.validation import check_numeric
from npae.utils.wording import counted

PARQUET_SUFFIXES = (".parquet", ".pq")
#: What a shard may be, by its suffix.
BY_SUFFIX: dict[str, type[Any]] = {
    ".npy": NpyShard,
    **dict.fromkeys(PARQUET_SUFFIXES, ParquetShard),
    ".zarr": ZarrShard,
}
HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5")
SHOWN = 3  # names in a warning

Part = str | os.PathLike[str] | Array
#: Folders that were listed in the present ``listed_once``, with their shards and other entries; None outside of it.
_listings: ContextVar[dict[Path, tuple[list[Path], list[Path]]] | None] = ContextVar("_listings", default=None)


class ShardSource(Source):
    """Samples in shards, one after the other: read in parts, and never all in memory.

    Shards hold samples of one shape and one dtype, in any number. What was read is taken not to change: a file that
    does, or that vanishes, ends the training with an error that names it.

    Parameters
    ----------
    parts : str, PathLike or array, or sequence of them
        A folder of .npy or of .parquet files, in the order of their names as text; a pattern such as ``"day-*.npy"``,
        with ``**`` for folders of any depth; a .npy, a .parquet, ``"x.h5:/name"`` (one array of an HDF5 file), a .zarr,
        or a folder in it; or a list of these, or of arrays.
    divide : float, optional
        Divide all numbers by this one, such as 255 for bytes of images.

    Raises
    ------
    TypeError
        If ``parts`` is neither of these.
    FileNotFoundError
        If there is no such file, or none that a pattern matches.
    FileFormatError
        If a file is damaged or of another format, or if shards differ in the shape of a sample or in dtype.
    MissingExtraError
        If a library is missing that reads parquet, HDF5 or zarr.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.datasets import ShardSource
    >>> source = ShardSource([np.zeros((3, 2), np.uint8), np.ones((4, 2), np.uint8)])
    >>> source.shape, source.read(2, 4).tolist(), source.place(5)
    ((7, 2), [[0, 0], [1, 1]], 'row 2 of part 1')
    """

    def __init__(self, parts: Part | Sequence[Part], *, divide: float | None = None) -> None:
        self.divide = None if divide is None else real_number(divide, "divide", above=0)
        self.shards = [shard for shard in _shards_of(parts) if shard.shape[0]]
        if not self.shards:
            raise FileFormatError(f"{_named(parts)} holds no samples; give files that do")
        first = self.shards[0]
        for other in self.shards:
            if other.shape[1:] != first.shape[1:]:
                raise FileFormatError(
                    f"{other.name} has samples of shape {other.shape[1:]}, but {first.name} of shape "
                    f"{first.shape[1:]}; give shards of one shape"
                )
            if other.dtype != first.dtype:
                raise FileFormatError(
                    f"{other.name} has dtype {other.dtype}, but {first.name} has {first.dtype}; give shards of one "
                    f"dtype"
                )
            if getattr(other, "columns", None) != getattr(first, "columns", None):
                raise FileFormatError(
                    f"{other.name} has other columns than {first.name}, or has them in another order; give shards of "
                    f"the same columns in one order"
                )
        _warn_of_notes(self.shards)
        self._starts = [0, *np.cumsum([shard.shape[0] for shard in self.shards]).tolist()]
        self.shape, self.dtype = (self._starts[-1], *first.shape[1:]), first.dtype
        self.can_seek = all(shard.can_seek for shard in self.shards)
        self.columns: list[str] = getattr(first, "columns", [])
        self._last: tuple[int, Array] | None = None  # the first row of a chunk that was read, and the chunk

    def begin_use(self) -> None:
        self._last = None
        if any(isinstance(shard, ArrayShard) for shard in self.shards):
            self._survey = None

    @cached_property
    def bounds(self) -> Array:
        return chunk_bounds([s.shape[0] for s in self.shards], max(1, prod(self.shape[1:]) * self.dtype.itemsize))

    def read(self, start: int, stop: int) -> Array:
        if self.can_seek:
            return self._read(start, stop)
        chunk = int(np.searchsorted(self.bounds, start, side="right")) - 1
        first, last = (int(bound) for bound in self.bounds[chunk : chunk + 2])
        if stop > last:  # of several chunks, which are read whole
            return self._read(start, stop)
        if self._last is None or self._last[0] != first:  # a chunk is expanded once, however little is asked for
            self._last = first, self._read(first, last)
        return self._last[1][start - first : stop - first]

    def _read(self, start: int, stop: int) -> Array:
        i = bisect_right(self._starts, start) - 1
        if stop <= self._starts[i + 1]:
            return self.shards[i].read(start - self._starts[i], stop - self._starts[i])
        y = np.empty((stop - start, *self.shape[1:]), self.dtype)
        self.read_into(start, stop, y)
        return y

    def read_into(self, start: int, stop: int, y: Array) -> None:
        i, place = bisect_right(self._starts, start) - 1, start
        while place < stop:
            own, end = self._starts[i], min(stop, self._starts[i + 1])
            self.shards[i].read_into(place - own, end - own, y[place - start : end - start])
            i, place = i + 1, end

    def take(self, rows: Array) -> Array:
        if not self.can_seek:
            return super().take(rows)
        places = np.searchsorted(self._starts, rows, side="right") - 1
        if (places == places[:1]).all() and len(rows):
            own: Array = self.shards[places[0]].take(rows - self._starts[places[0]])
            return own
        taken = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for i in np.unique(places):
            here = places == i
            taken[here] = self.shards[i].take(rows[here] - self._starts[i])
        return taken

    def place(self, row: int) -> str:
        i = bisect_right(self._starts, row) - 1
        return f"row {row - self._starts[i]} of {self.shards[i].name}"

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(repr((self.shape, self.divide)).encode(), digest_size=16)
        for shard in self.shards:
            digest.update(shard.content().encode())
        return f"blake2b:{digest.hexdigest()}"


def _named(parts: Part | Sequence[Part]) -> str:
    return repr(str(parts)) if isinstance(parts, str | os.PathLike) else "the list"


def _shards_of(parts: Any) -> list[Shard]:
    if isinstance(parts, str | os.PathLike):
        return [_opened(path) for path in files_of(parts)]
    if isinstance(parts, np.ndarray):
        return [_of_array(parts, "the array")]
    if isinstance(parts, bytes) or not isinstance(parts, Sequence | Iterator):
        raise TypeError(
            f"parts is a {type(parts).__name__}; expected a folder, a pattern, a file or an array, or a list of them"
        )
    shards: list[Shard] = []
    for i, part in enumerate(parts):
        is_path = isinstance(part, str | os.PathLike)
        shards += _shards_of(part) if is_path else [_of_array(part, f"part {i}")]
    return shards


def _of_array(part: Any, name: str) -> Shard:
    array = check_numeric(part, name)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(part).__name__}, but arrays or paths are expected as shards")
    if array.ndim < 2:
        raise ValueError(
            f"{name} has shape {array.shape}, but a shard holds samples, (n, ...); give arrays of two axes or more"
        )
    return ArrayShard(array, name)


def _opened(path: str) -> Shard:
    name = repr(path)
    shard = _shard_of(path, name)
    if len(shard.shape) < 2:
        raise FileFormatError(
            f"{name} has shape {shard.shape}, but a shard holds samples, (n, ...); give arrays of two axes or more"
        )
    return shard


def _shard_of(path: str, name: str) -> Shard:
    """The shard that a path stands for, whatever its shape."""
    in_hdf5 = _hdf5_parts(path)
    if in_hdf5 is not None:
        return Hdf5Shard(Path(in_hdf5[0]), in_hdf5[1], name)
    reader = ZarrShard if is_zarr(Path(path)) else BY_SUFFIX.get(Path(path).suffix.lower())
    if reader is None:
        what, error = ("is no shard", FileFormatError) if Path(path).exists() else ("does not exist", FileNotFoundError)
        raise error(
            f"{name} {what}; expected is .npy, .parquet, .zarr, or .h5 with the name of an array, as in x.h5:/name"
        )
    shard: Shard = reader(Path(path), name)
    return shard


def _warn_of_notes(shards: Sequence[Shard]) -> None:
    """Say once of each matter what the readers of the files have to say, however many files there are."""
    for matter in dict.fromkeys(matter for shard in shards for matter in shard.notes):
        notes = [shard.notes[matter] for shard in shards if matter in shard.notes]
        more = f"; so it is with {counted(len(notes) - 1, 'more file')}" if len(notes) > 1 else ""
        warnings.warn(f"{notes[0]}{more}", stacklevel=3)


def _hdf5_parts(path: str) -> tuple[str, str] | None:
    """The file and the array in it of ``x.h5:/name``; None of other paths. Without a name it is the only array."""
    file, separator, inner = path.rpartition(HDF5_SEPARATOR)
    if separator and Path(file).suffix.lower() in HDF5_SUFFIXES:
        return file, "/" + inner
    return (path, "") if Path(path).suffix.lower() in HDF5_SUFFIXES else None


def files_of(source: str | os.PathLike[str]) -> list[str]:
    """The shards that a path stands for: those in a folder, those that match a pattern, or itself."""
    text = os.fspath(source)
    if not text.strip():
        raise ValueError("the path of the data is empty; give a folder, a pattern or a file")
    path = Path(text)
    if path.is_dir() and not is_zarr(path):
        return [str(file) for file in _in_folder(path)]
    if glob.has_magic(text) and not path.exists():
        names = glob.glob(text, recursive=True)
        if path.parent.is_dir():  # whose own name may have brackets
            names = names or glob.glob(os.path.join(glob.escape(str(path.parent)), path.name))
        found = sorted(name for name in names if not Path(name).is_dir() or is_zarr(Path(name)))
        if not found:
            raise FileNotFoundError(f"no file matches {text!r}; check the pattern and the folder you are in")
        return found
    return [text]


def entries_of(folder: Path) -> list[Path]:
    """What is in a folder, by name, except for hidden files and those that systems leave there."""
    return [p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.name.lower() not in OF_SYSTEMS]


@contextmanager
def listed_once() -> Iterator[None]:
    """Context in which a folder of shards is listed once, so that what is checked first is what is read later."""
    if _listings.get() is not None:
        yield
        return
    token = _listings.set({})
    try:
        yield
    finally:
        _listings.reset(token)


def shards_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files in a folder that can be shards, in the order of their names, and its other entries."""
    known = _listings.get()
    found = _listed(folder) if known is None or folder not in known else known[folder]
    if known is not None:
        known[folder] = found
    return found


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    entries = entries_of(folder)
    # A link that leads nowhere is one, too, which is then refused: its samples were meant.
    shards = [p for p in entries if p.suffix.lower() in BY_SUFFIX and (not p.is_dir() or is_zarr(p))]
    return shards, [p for p in entries if p not in shards]


def holds_images(entries: Sequence[Path]) -> bool:
    """Whether images are among the entries of a folder, or in a folder that is one of them."""
    files = [file for entry in entries for file in (entry.iterdir() if entry.is_dir() else [entry])]
    return any(file.suffix.lower() in IMAGE_SUFFIXES for file in files)


def _in_folder(folder: Path) -> list[Path]:
    shards, others = shards_in(folder)
    if not shards:
        raise FileFormatError(
            f"{str(folder)!r} holds no shards; put .npy or .parquet files into it, or give a file or a pattern"
        )
    kinds = sorted({path.suffix.lower() for path in shards})
    if len(kinds) > 1:
        raise FileFormatError(
            f"{str(folder)!r} holds {' and '.join(kinds)} files; give a pattern of those that are meant, such as "
            f"{str(folder / ('*' + kinds[0]))!r}"
        )
    if holds_images(others):
        raise FileFormatError(
            f"{str(folder)!r} holds shards, such as {quoted(shards[0].name)}, and images; give the shards alone as "
            f"{str(folder / ('*' + kinds[0]))!r}, or move one of the two"
        )
    warn_passed_over(others, folder, stacklevel=5)
    return shards


def warn_passed_over(others: Sequence[Path], folder: Path, *, stacklevel: int) -> None:
    """Say which entries of a folder are not read, if there are any."""
    if others:
        shown = ", ".join(quoted(path.name) for path in others[:SHOWN])
        more = f" and {len(others) - SHOWN:,} more" if len(others) > SHOWN else ""
        are = "entry that is no shard is" if len(others) == 1 else "entries that are no shards are"
        warnings.warn(f"{len(others):,} {are} passed over in {str(folder)!r}: {shown}{more}", stacklevel=stacklevel + 1)
