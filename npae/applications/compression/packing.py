"""The content of a compressed file: integers of each dimension of the code as an entropy-coded stream.

A file has a magic number, a checksum of all that follows, a header (JSON: shapes, and the fingerprint of the model that
decompresses it), and two streams for each dimension of the code, of low and of high bytes. Streams are written by
LZMA's range coder without a context (``lc = lp = pb = 0``), which is an adaptive arithmetic coder.
"""

import hashlib
import json
import lzma
import struct

import numpy as np

from npae.applications.quantization import Quantizer
from npae.utils.errors import FileFormatError, one_line
from npae.utils.types import Array

MAGIC = b"npae\xc1\r\n\x1a"  # the last four bytes reveal a transfer as text
CHECKSUM = 16  # bytes
MOST_NUMBERS = 2**27  # in a file: 256 MiB after unpacking
#: Most samples for each byte of a file. A constant stream shrinks 7,000-fold, and one of zeros takes no bytes.
MOST_EXPANSION = 2**14
CODER = [{"id": lzma.FILTER_LZMA2, "lc": 0, "lp": 0, "pb": 0, "dict_size": 2**16}]


def pack(quantizer: Quantizer, numbers: Array, maker: str) -> bytes:
    """Content of a file with quantised codes: an entropy-coded stream for each dimension.

    Parameters
    ----------
    quantizer : Quantizer
    numbers : ndarray of uint16, shape (n, size)
        As ``quantizer.quantize`` returns them.
    maker : str
        Fingerprint of the model.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If they are more than one file may hold.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.compression import pack, unpack
    >>> from npae.applications.quantization import Quantizer
    >>> codes = np.array([[0.0], [0.4], [1.0]])
    >>> quantizer = Quantizer.fit(codes, bits=2)
    >>> numbers, _, maker = unpack(pack(quantizer, quantizer.quantize(codes), "a model"))
    >>> numbers.tolist(), maker
    ([[0], [1], [3]], 'a model')
    """
    # (n, size) -> a stream of low bytes for each dimension, then of high bytes where there are any
    streams = [_encoded((numbers[:, i // 2] >> 8 * (i % 2)).astype(np.uint8)) for i in range(2 * numbers.shape[1])]
    header = {"n": len(numbers), "size": numbers.shape[1], "step": quantizer.step, "model": maker}
    text = json.dumps(header).encode()
    body = b"".join(
        [
            struct.pack("<I", len(text)),
            text,
            quantizer.low.astype("<f4").tobytes(),
            np.asarray([len(stream) for stream in streams], "<u4").tobytes(),
            *streams,
        ]
    )
    require_room(len(numbers), numbers.shape[1], len(body))
    return MAGIC + _checksum(body) + body


def require_room(n: int, size: int, length: int | None = None) -> None:
    """Refuse more codes than a file may hold: one of this length in bytes, or any where it is not known yet."""
    if _is_too_large(n, size, length):
        in_bytes = "" if length is None else f", in {length:,} bytes,"
        raise ValueError(
            f"{n:,} codes of {size} values{in_bytes} are more than one file may hold; compress fewer samples at once"
        )


def unpack(content: bytes) -> tuple[Array, Quantizer, str]:
    """The inverse of ``pack``.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    numbers : ndarray of uint16, shape (n, size)
    quantizer : Quantizer
    maker : str
        Fingerprint of the model.

    Raises
    ------
    FileFormatError
        If the content is damaged.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.compression import pack, unpack
    >>> from npae.applications.quantization import Quantizer
    >>> quantizer = Quantizer.fit(np.array([[0.0], [1.0]]), bits=2)
    >>> unpack(pack(quantizer, np.array([[3]], dtype="uint16"), "a model"))[0].tolist()
    [[3]]
    """
    start = len(MAGIC) + CHECKSUM
    body = content[start:]
    if content[: len(MAGIC)] != MAGIC:
        raise FileFormatError("it is no file of npae compress, or its beginning is damaged; fetch it again")
    if _checksum(body) != content[len(MAGIC) : start]:
        raise FileFormatError("its checksum is wrong: bytes are missing or changed; fetch it again")
    try:
        return _parse(body)
    except (KeyError, TypeError, ValueError, OverflowError, struct.error, lzma.LZMAError, RecursionError) as error:
        raise FileFormatError(f"it is laid out in a way that this version does not know ({one_line(error)})") from None


def _parse(body: bytes) -> tuple[Array, Quantizer, str]:
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    n, size, place = header["n"], header["size"], 4 + length
    if not all(type(v) is int and v > 0 for v in (n, size)) or _is_too_large(n, size, len(body)):
        raise ValueError("its shape is none, or too large")
    step, maker = float(header["step"]), header["model"]
    low = np.frombuffer(body, "<f4", size, place)
    lengths = np.frombuffer(body, "<u4", 2 * size, place + low.nbytes).tolist()
    largest = max(abs(float(low.min())), abs(float(low.max()))) + 65535 * step
    if not isinstance(maker, str) or not step > 0 or not largest <= float(np.finfo(np.float32).max):
        raise ValueError("its steps are none")
    place += low.nbytes + 8 * size
    numbers = np.zeros((n, size), np.uint16)
    for i, length in enumerate(lengths):
        plane = _decoded(body[place : place + length], n)
        numbers[:, i // 2] |= plane.astype(np.uint16) << (8 * (i % 2))
        place += length
    if place != len(body):
        raise ValueError("it is longer than its parts")
    return numbers, Quantizer(low, step), maker


def _is_too_large(n: int, size: int, length: int | None) -> bool:
    """Whether n codes of ``size`` values exceed what a file of ``length`` bytes, or any, may contain."""
    return n * size > MOST_NUMBERS or (length is not None and n > MOST_EXPANSION * length)


def _encoded(plane: Array) -> bytes:
    """Compressed bytes; none if all are zero."""
    if not plane.any():
        return b""
    return lzma.compress(plane.tobytes(), lzma.FORMAT_RAW, filters=CODER)


def _decoded(stream: bytes, n: int) -> Array:
    if not stream:
        return np.zeros(n, np.uint8)
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=CODER)
    plane = decoder.decompress(stream, max_length=n + 1)
    if len(plane) != n:
        raise ValueError(f"a stream holds {len(plane)} numbers, where {n} were announced")
    return np.frombuffer(plane, np.uint8)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=CHECKSUM).digest()
