"""The file of an index: its codes, and the names of their samples, in safetensors."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from npae.utils import safetensors
from npae.utils.errors import FileFormatError
from npae.utils.safetensors import InParts
from npae.utils.sources import ArraySource
from npae.utils.types import Array

FORMAT = 1
KEY = "npae-index"  # of the description in a file

T = TypeVar("T")


def write_index(path: str | Path, codes: Array | InParts, metric: str, model: str, names: Sequence[str] | None) -> None:
    """Write an index; an existing file is replaced atomically."""
    arrays: dict[str, Array | InParts] = {"codes": codes}
    if names is not None:
        text = "\0".join(names).encode("utf-8", "surrogateescape")  # a name that is not UTF-8 keeps its bytes
        arrays["names"] = np.frombuffer(text, np.uint8)
    record = {"format": FORMAT, "metric": metric, "model": model}
    safetensors.write(path, arrays, {KEY: json.dumps(record)})


def read_index(path: str | Path, make: Callable[[Array, str, str, tuple[str, ...] | None], T]) -> T:
    """The result of ``make`` for the codes, metric, model and names in a file; what ``make`` refuses is refused.

    Raises
    ------
    FileFormatError
        If the file is not a valid index.
    """
    arrays, metadata = safetensors.read(path)
    try:
        record, codes = json.loads(metadata[KEY]), arrays["codes"]
        index = make(codes, record["metric"], record["model"], _names(arrays.get("names")))
        if record["format"] != FORMAT or codes.ndim != 2 or codes.dtype != np.float32 or not codes.size:
            raise ValueError
        if ArraySource(codes).survey.bad is not None:
            raise ValueError
    except (KeyError, TypeError, ValueError, RecursionError):
        raise FileFormatError(f"{path} is no index that this version reads; make it with npae index") from None
    return index


def _names(characters: Array | None) -> tuple[str, ...] | None:
    """The names that ``write_index`` wrote, or None where it had none."""
    if characters is None:
        return None
    if characters.dtype != np.uint8:
        raise ValueError
    return tuple(characters.tobytes().decode("utf-8", "surrogateescape").split("\0"))
