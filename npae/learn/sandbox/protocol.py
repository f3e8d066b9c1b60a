"""Message format between the checker and the sandbox: JSON and raw numbers.

A frame is the length of a header, the length of a body, the header in JSON, and the body: the elements of all arrays,
one after the other. The header's "arrays" holds their dtypes and shapes. The reader does not trust the writer: nothing
in a frame is executed or unpickled, and lengths, dtypes and shapes are checked before memory is allocated.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npae.utils.types import Array

LENGTHS = struct.Struct(">IQ")  # lengths of header and body
LARGEST_HEADER = 1 << 16  # bytes
LARGEST_BODY = 1 << 26  # bytes
NUMERIC = re.compile(r"[<>|=]?[biufc][0-9]{1,2}")  # dtypes of numbers: bool, integers, floats, complex
PIECE = 1 << 20  # most bytes that are read at once

Message = dict[str, Any]


class FrameError(ValueError):
    """Bytes that are no valid frame, or a message too large for one."""


def pack(message: Message, arrays: Sequence[Array] = ()) -> bytes:
    """The frame of a message and arrays of numbers."""
    described = [[a.dtype.str, list(a.shape)] for a in arrays]
    header, size = json.dumps({**message, "arrays": described}).encode(), sum(a.nbytes for a in arrays)
    if len(header) > LARGEST_HEADER or size > LARGEST_BODY:
        raise FrameError(f"a frame holds at most {LARGEST_BODY:,} bytes of numbers; these are {size:,}")
    return b"".join([LENGTHS.pack(len(header), size), header, *(a.tobytes() for a in arrays)])


def read(source: Callable[[int], bytes]) -> tuple[Message, list[Array]]:
    """Read the next frame: its message and arrays.

    Parameters
    ----------
    source : callable
        (n) -> at most n bytes, none at the end.

    Raises
    ------
    EOFError
        If the source ends, even within a frame.
    FrameError
        If the frame is too large or damaged.
    """
    header_length, body_length = LENGTHS.unpack(_exactly(source, LENGTHS.size))
    if header_length > LARGEST_HEADER or body_length > LARGEST_BODY:
        raise FrameError(f"this frame would have {header_length + body_length:,} bytes")
    header, body = _exactly(source, header_length), _exactly(source, body_length)
    try:
        message = json.loads(header)
        described = message.pop("arrays")
        return message, _arrays(described, body)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise FrameError(f"this frame is damaged ({type(error).__name__})") from None


def _arrays(described: Any, body: bytearray) -> list[Array]:
    """Arrays of these dtypes and shapes, copied from ``body``, which they fill exactly."""
    arrays, start = [], 0
    for name, shape in described:
        if not isinstance(name, str) or not NUMERIC.fullmatch(name):
            raise ValueError("no numbers")
        if not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("no shape")
        dtype, count = np.dtype(name), math.prod(shape)
        end = start + count * dtype.itemsize
        if end > len(body):
            raise ValueError("too short")
        flat = np.frombuffer(body, dtype, count, start) if count else np.empty(0, dtype)
        arrays.append(flat.reshape(shape).copy())
        start = end
    if start != len(body):
        raise ValueError("too long")
    return arrays


def _exactly(source: Callable[[int], bytes], count: int) -> bytearray:
    content = bytearray()  # a list of one-byte pieces would take fifty times the memory
    while len(content) < count:
        piece = source(min(count - len(content), PIECE))
        if not piece:
            raise EOFError
        content += piece
    return content


def encode(value: Any, arrays: list[Array]) -> Any:
    """``value`` as JSON; arrays are appended to ``arrays`` and encoded as their positions in it.

    Values are arrays, numbers, strings, None, and tuples and lists of these; TypeError for any other.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, (tuple, list)):
        return {type(value).__name__: [encode(v, arrays) for v in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"an argument is a {type(value).__name__}; arrays, numbers, strings and tuples can be sent")


def decode(code: Any, arrays: Sequence[Array]) -> Any:
    """The inverse of ``encode``."""
    if not isinstance(code, dict):
        return code
    ((kind, content),) = code.items()
    if kind == "array":
        return arrays[content]
    return {"tuple": tuple, "list": list}[kind](decode(c, arrays) for c in content)
