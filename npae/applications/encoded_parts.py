"""Codes of a folder of files, a file of codes for each: workers of ``dask.distributed`` take one after the other.

A record beside the codes tells of what each file of codes was made, so that what is there already is not made again.
"""

import hashlib
import json
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from npae.datasets.arrays import npy_layout
from npae.datasets.file_columns import check_file_columns
from npae.datasets.formats import holds_bytes, read_data
from npae.datasets.shards import PARQUET_SUFFIXES, entries_of
from npae.storage.encoder import Encoder, load_encoder
from npae.utils.errors import FileFormatError, MissingExtraError, one_line
from npae.utils.files import atomic_write
from npae.utils.started import safe_path
from npae.utils.version import __version__
from npae.utils.wording import counted

RECORD = "encoded.json"
NUMBERS = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?")
Notes = list[tuple[type[Warning], str]]  # category and text of each warning
_noting = Lock()  # catching warnings replaces what all threads of a worker share
SUFFIXES = (".npy", ".npz", ".csv", ".tsv", *PARQUET_SUFFIXES)


def parts_in(folder: Path) -> list[Path]:
    """The files of samples in a folder, by name.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or none in it.
    ValueError
        If the codes of two files would have one name.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from npae.applications.encoded_parts import parts_in
    >>> Path("parts").mkdir()
    >>> np.save("parts/a.npy", np.zeros((2, 3)))
    >>> [part.name for part in parts_in(Path("parts"))]
    ['a.npy']
    """
    entries = entries_of(folder) if folder.is_dir() else []
    parts = [path for path in entries if path.suffix.lower() in SUFFIXES and not path.is_dir()]
    if not parts:
        raise FileNotFoundError(f"{folder} is no folder that holds files of samples ({', '.join(SUFFIXES)}); give one")
    names = [part.stem for part in parts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{folder} holds two files named {twice}, whose codes would have one name; rename one")
    return parts


def codes_of(part: Path, out: Path) -> Path:
    """The file of the codes of a part.

    Parameters
    ----------
    part : Path
        A file of samples.
    out : Path
        The folder of the codes.

    Returns
    -------
    Path

    Examples
    --------
    >>> from pathlib import Path
    >>> from npae.applications.encoded_parts import codes_of
    >>> codes_of(Path("parts/a.csv"), Path("codes")).as_posix()
    'codes/a.npy'
    """
    return out / f"{part.stem}.npy"


def encode_parts(
    model: Path,
    parts: Sequence[Path],
    out: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    options: dict[str, Any],
    say: Callable[[str], None],
) -> tuple[int, int]:
    """Encode each part into ``out``, by as many new worker processes, or by those of a scheduler.

    Parameters
    ----------
    model : Path
        A model file, which only this process reads.
    parts : sequence of Path
        Which the workers read, so that they see the same folders; the same holds for ``out``.
    out : Path
        The folder of the codes, which must exist.
    workers : int, optional
        Processes to start on this machine; none where there is a scheduler.
    scheduler : str, optional
        The address of a scheduler of dask, such as ``tcp://host:8786``.
    options : dict
        Of ``npae.datasets.read``.
    say : function
        Called with a sentence for each part that was made.

    Returns
    -------
    made, kept : int
        Parts that were encoded now, and that were there already.

    Raises
    ------
    MissingExtraError
        Without dask.distributed.
    OSError
        If the scheduler does not answer.
    ValueError
        If a part could not be encoded; the others that were made until then are kept. If ``out`` holds codes of files
        that are not among the parts, and these were encoded by another model or with other options.

    Examples
    --------
    >>> from pathlib import Path
    >>> import distributed
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.applications.encoded_parts import encode_parts
    >>> from npae.layers import Dense
    >>> Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,)).save("model.safetensors")
    >>> np.save("a.npy", np.zeros((4, 3)))
    >>> Path("codes").mkdir()
    >>> arguments = (Path("model.safetensors"), [Path("a.npy")], Path("codes"))
    >>> with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
    ...     encode_parts(*arguments, scheduler=cluster.scheduler_address, options={}, say=print)
    1 of 1: 4 codes in codes...a.npy
    (1, 0)
    """
    distributed = _distributed()
    # Zeros and ones alone in one part are bytes all the same where those of another reach beyond, as in one array.
    reading = {**options, "are_bytes": "divide" not in options and any(map(holds_bytes, parts))}
    made_by = {"model": hashlib.blake2b(model.read_bytes(), digest_size=16).hexdigest(), "options": reading}
    record = _record_of(out, parts, made_by)
    marks = {part: _mark(part, made_by) for part in parts}
    missing = [part for part in parts if record.get(part.name) != marks[part] or not _is_whole(codes_of(part, out))]
    if not missing:
        return 0, len(parts)
    encoder = load_encoder(model)
    with _client(distributed, workers, scheduler) as client:
        # Codes that are about to be replaced are no longer what the record says, also if this process is killed.
        record = {name: mark for name, mark in record.items() if name not in {part.name for part in missing}}
        _write_record(out, record)
        shared = client.scatter(encoder, broadcast=True)
        futures = {
            client.submit(_encode_and_note, shared, str(p), str(codes_of(p, out)), reading, pure=False): p
            for p in missing
        }
        notes: dict[Path, Notes] = {}
        try:
            for n_made, future in enumerate(distributed.as_completed(futures), start=1):
                part = futures[future]
                try:
                    n, notes[part] = _given_back(future.result())
                except Exception as error:
                    raise ValueError(f"{part} could not be encoded: {one_line(error, 400)}") from None
                record[part.name] = marks[part]
                _write_record(out, record)
                say(f"{n_made} of {len(missing)}: {counted(n, 'code')} in {codes_of(part, out)}")
        finally:
            _warn_of_notes({part: notes[part] for part in missing if part in notes})
    return len(missing), len(parts) - len(missing)


def encode_part(encoder: Encoder, part: str, out: str, options: dict[str, Any]) -> int:
    """Encode one file of samples into one of codes, in a worker.

    Parameters
    ----------
    encoder : Encoder
        From ``npae.load_encoder``.
    part, out : str
        The file of samples, and that of codes, which is replaced atomically.
    options : dict
        Of ``npae.datasets.formats.read_data``.

    Returns
    -------
    int
        Number of codes.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder, load_encoder
    >>> from npae.applications.encoded_parts import encode_part
    >>> from npae.layers import Dense
    >>> Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,)).save("net.safetensors")
    >>> np.save("samples.npy", np.zeros((4, 3)))
    >>> encode_part(load_encoder("net.safetensors"), "samples.npy", "codes.npy", {})
    4
    >>> np.load("codes.npy").shape
    (4, 2)
    """
    X = check_file_columns(read_data(part, **options).X, part, encoder.columns)
    codes = encoder.transform(X) if len(X) else np.empty((0, *encoder.code_shape), encoder.dtype)
    with atomic_write(out) as file:
        np.save(file, codes, allow_pickle=False)
    return len(codes)


def _encode_and_note(encoder: Encoder, part: str, out: str, options: dict[str, Any]) -> tuple[int, Notes] | Exception:
    """``encode_part`` with its warnings, or its error: the main process reports both, not the log of a worker."""
    with _noting, warnings.catch_warnings(record=True) as noted:
        try:
            n = encode_part(encoder, part, out, options)
        except (ValueError, OSError, ImportError, ArithmeticError, MemoryError) as error:
            return ValueError(one_line(error, 400))  # an error of another class may not survive pickling
    return n, [(note.category, str(note.message)) for note in noted]


def _given_back(result: tuple[int, Notes] | Exception) -> tuple[int, Notes]:
    """What ``_encode_and_note`` has returned in a worker; raises it where it is an error."""
    if isinstance(result, Exception):
        raise result
    return result


def _warn_of_notes(notes: dict[Path, Notes]) -> None:
    """Warn once of what the workers have warned of, with the number of further files: texts may differ in numbers."""
    first: dict[tuple[type[Warning], str], str] = {}
    parts: dict[tuple[type[Warning], str], set[Path]] = {}
    for part, of_part in notes.items():
        for category, text in of_part:
            matter = category, NUMBERS.sub("", text.replace(str(part), ""))
            first.setdefault(matter, text if str(part) in text else f"{part}: {text}")
            parts.setdefault(matter, set()).add(part)
    for matter, text in first.items():
        others = len(parts[matter]) - 1
        more = f"; so it is with {counted(others, 'more file')}" if others else ""
        warnings.warn(f"{text}{more}", matter[0], stacklevel=4)


def _mark(part: Path, made_by: dict[str, Any]) -> dict[str, Any]:
    """Of what the codes of a part are made; the part itself is known by its size and the time of its last change."""
    known = os.stat(part)
    return _as_read({"bytes": known.st_size, "changed": known.st_mtime_ns, "npae": __version__, **made_by})


def _as_read(mark: dict[str, Any]) -> dict[str, Any]:
    """What a JSON file gives back of a mark."""
    read: dict[str, Any] = json.loads(json.dumps(mark))
    return read


def _is_whole(codes: Path) -> bool:
    """Whether a file of codes is there, and as long as it says."""
    try:
        npy_layout(codes)
    except (FileNotFoundError, FileFormatError):
        return False
    return True


def _record_of(out: Path, parts: Sequence[Path], made_by: dict[str, Any]) -> dict[str, Any]:
    """The record of a folder, whose codes of files that are not among the parts are refused, or told."""
    own = {codes_of(part, out) for part in parts}
    names = {part.name for part in parts}
    found = {name: (mark, codes_of(Path(name), out)) for name, mark in _read_record(out).items()}
    record = {
        name: mark for name, (mark, codes) in found.items() if name in names or (codes not in own and codes.exists())
    }
    others = [name for name in record if name not in names]
    for name in others:
        if any(record[name].get(key) != value for key, value in _as_read(made_by).items()):
            raise ValueError(
                f"{out} holds codes of {name}, which is not in {parts[0].parent} and was encoded by another model or "
                f"with other options; choose another folder, or remove {codes_of(Path(name), out)}"
            )
    if others:
        more = f" and {counted(len(others) - 1, 'more file')}" if len(others) > 1 else ""
        warnings.warn(f"{out} also holds codes of {others[0]}{more}, not in {parts[0].parent}", stacklevel=3)
    return record


def _read_record(out: Path) -> dict[str, Any]:
    try:
        record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        record = None
    if not isinstance(record, dict) or not all(isinstance(mark, dict) for mark in record.values()):
        raise ValueError(f"{out / RECORD} is damaged; remove it, and all parts are encoded anew")
    return record


def _write_record(out: Path, record: dict[str, Any]) -> None:
    with atomic_write(out / RECORD) as file:
        file.write(json.dumps(record, indent=1, sort_keys=True).encode() + b"\n")


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("encoding by workers needs dask.distributed; pip install 'npae[dask]'") from None
    return distributed


@contextmanager
def _client(distributed: Any, workers: int | None, scheduler: str | None) -> Iterator[Any]:
    if scheduler is None:
        with (
            safe_path(),  # all the while, since a worker that ends is started anew
            distributed.Client(n_workers=workers or 1, threads_per_worker=1, dashboard_address=None) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise OSError(f"no scheduler of dask answers at {scheduler} ({one_line(error)}); start one there") from None
    with client:
        yield client
