"""Data compression: samples are encoded, codes are quantised to integers, and integers are entropy-coded.

A file has a magic number, a checksum of all that follows, a header (JSON: shapes, and the fingerprint of the model that
decompresses it), and one stream for each dimension of the code. Streams are written by LZMA's range coder without a
context (``lc = lp = pb = 0``), which is an adaptive arithmetic coder.
"""

import hashlib
import json
import lzma
import struct
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npae.applications.quantization import BITS, Quantizer
from npae.datasets.streams import MAX_BYTES
from npae.estimators import AutoencoderEstimator
from npae.network.recorded_encoding import ends_of_parts
from npae.storage.model_file import fingerprint
from npae.utils.columns import check_columns, columns_of
from npae.utils.errors import FileFormatError, one_line
from npae.utils.files import atomic_write, require_file
from npae.utils.samples import Samples, dense
from npae.utils.types import Array
from npae.utils.validation import check_numeric

MAGIC = b"npae\xc1\r\n\x1a"  # the last four bytes reveal a transfer as text
CHECKSUM = 16  # bytes
MOST_NUMBERS = 2**27  # in a file: 256 MiB after unpacking
#: Most samples for each byte of a file. A constant stream shrinks 7,000-fold, and one of zeros takes no bytes.
MOST_EXPANSION = 2**14
CODER = [{"id": lzma.FILTER_LZMA2, "lc": 0, "lp": 0, "pb": 0, "dict_size": 2**16}]
#: Without ``bits``, the share that quantisation may add to the squared error of reconstruction.
ADDED_ERROR = 0.02
JUDGED = 1000  # samples by which the number of bits is chosen


def compress(model: AutoencoderEstimator, X: Any, bits: int | None = None) -> bytes:
    """Compress samples, with loss, to the content of a file for ``decompress``.

    Parameters
    ----------
    model : fitted estimator
        Needed for decompression; it is not part of the result.
    X : array-like of shape ``(n, *shape)``
    bits : int from 1 to 16, optional
        For the dimension of the code with the widest range; the others have the same step size, so fewer bits. By
        default the fewest that add at most 2 % to the squared error of reconstruction.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If ``decompress`` would refuse the result: for more than 2²⁷ values in all codes, or millions of equal samples.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import VanillaAutoencoder
    >>> from npae.applications.compression import compress, decompress
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> decompress(model, compress(model, X)).shape
    (256, 8)
    """
    check_columns(columns_of(X), model.network_.columns)
    X = check_numeric(X, "samples")
    (size,) = model.network_.code_shape
    if len(X.shape) and len(X) * size > MOST_NUMBERS:
        raise _too_many(len(X), size)
    quantizer = quantizer_for(model, X, bits)
    numbers = np.concatenate([quantizer.quantize(codes) for codes in model.network_.encode_parts(X)])
    return pack(quantizer, numbers, fingerprint(model.network_))


def decompress(model: AutoencoderEstimator, content: bytes) -> Array:
    """Samples ``(n, *shape)`` reconstructed from the result of ``compress`` with the same model.

    Memory is limited whatever the header announces: to 2²⁷ values in all codes, 2¹⁴ samples for each byte of the file,
    and 4 GiB of samples.

    Parameters
    ----------
    model : fitted estimator
        The one that compressed them.
    content : bytes
        As ``compress`` returns it.

    Returns
    -------
    ndarray of shape ``(n, *shape)``

    Raises
    ------
    FileFormatError
        If a byte is missing, added or changed, or if it is too large.
    ValueError
        If it was compressed with a different model.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import compress, decompress
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> decompress(model, compress(model, X, bits=8)).shape
    (256, 8)
    """
    numbers, quantizer, maker = unpack(content)
    if maker != fingerprint(model.network_):
        raise ValueError("it was compressed with another model, so this one cannot rebuild it; give that model")
    shape = len(numbers), *model.network_.input_shape
    if prod(shape) * model.network_.arena.dtype.itemsize > MAX_BYTES:
        raise FileFormatError(
            f"its samples, of shape {shape}, take more than {MAX_BYTES:,} bytes; compress fewer at once"
        )
    return model.network_.decode(quantizer.restore(numbers))


def quantizer_for(model: AutoencoderEstimator, X: Samples, bits: int | None) -> Quantizer:
    """The quantizer of the codes of samples, which are computed in parts and not kept.

    Parameters
    ----------
    model : fitted estimator
    X : ndarray of shape ``(n, *shape)``, rows of a sparse matrix, or a source
    bits : int or None
        As for ``compress``.

    Returns
    -------
    Quantizer

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import quantizer_for
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> quantizer_for(model, X, bits=8).low.shape
    (2,)
    """
    bounds, first = np.empty((0, 0)), np.empty((0, 0))
    for i, codes in enumerate(model.network_.encode_parts(X)):
        seen = np.concatenate([bounds, codes]) if i else codes
        bounds = np.stack([seen.min(axis=0), seen.max(axis=0)])
        first = np.concatenate([first, codes])[:JUDGED] if i else codes[:JUDGED].copy()
    return Quantizer.fit(bounds, bits if bits is not None else fewest_bits(model, X, first))


def quality(model: AutoencoderEstimator, content: bytes, X: Any) -> float:
    """The PSNR of what ``decompress`` rebuilds, in parts; see ``psnr``.

    Parameters
    ----------
    model : fitted estimator
    content : bytes
        As ``compress`` returned it.
    X : array-like of shape ``(n, *shape)``
        The samples that were compressed.

    Returns
    -------
    float
        In dB.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import compress, quality
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> quality(model, compress(model, X, bits=8), X) > 0
    True
    """
    X = model.network_.check(X)
    numbers, quantizer, _ = unpack(content)
    squares, start = 0.0, 0
    for stop in ends_of_parts(X.shape, 1):
        rebuilt = model.network_.decode(quantizer.restore(numbers[start:stop]))
        squares += float(np.square(rebuilt - dense(X[start:stop]), dtype=np.float64).sum())
        start = stop
    return float(-10 * np.log10(squares / X.size))


def compress_file(model: AutoencoderEstimator, X: Any, path: str | Path, bits: int | None = None) -> int:
    """Compress samples to a file, which is replaced atomically.

    Parameters
    ----------
    model : fitted estimator
    X : array-like of shape ``(n, *shape)``
    path : str or Path
    bits : int, optional
        As for ``compress``.

    Returns
    -------
    int
        Size of the file, in bytes.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import compress_file
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> compress_file(model, X, "samples.npaez", bits=8) == Path("samples.npaez").stat().st_size
    True
    """
    content = compress(model, X, bits)
    with atomic_write(path) as file:
        file.write(content)
    return len(content)


def decompress_file(model: AutoencoderEstimator, path: str | Path) -> Array:
    """Samples reconstructed from a file of at most 4 GiB that ``compress_file`` wrote.

    Parameters
    ----------
    model : fitted estimator
        The one that compressed them.
    path : str or Path

    Returns
    -------
    ndarray of shape ``(n, *shape)``

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If a byte is missing, added or changed, or the file is too large.
    ValueError
        If it was compressed with a different model.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import compress_file, decompress_file
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> _ = compress_file(model, X, "samples.npaez", bits=8)
    >>> decompress_file(model, "samples.npaez").shape
    (256, 8)
    """
    path = Path(path)
    require_file(path)
    if path.stat().st_size > MAX_BYTES:
        raise FileFormatError(f"{path} is larger than {MAX_BYTES:,} bytes; compress fewer samples at once")
    try:
        return decompress(model, path.read_bytes())
    except ValueError as error:
        raise type(error)(f"{path}: {error}") from None


def fewest_bits(model: AutoencoderEstimator, X: Samples, codes: Array) -> int:
    """The fewest bits with which quantisation adds at most the share ``ADDED_ERROR`` to the reconstruction error.

    Parameters
    ----------
    model : fitted estimator
    X : ndarray of shape ``(n, *shape)``, rows of a sparse matrix, or a source
        Only as many of the first samples are used as codes are given.
    codes : ndarray of shape (m, code_size)
        Their codes.

    Returns
    -------
    int
        Bits for the dimension of the widest range.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import fewest_bits
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> 1 <= fewest_bits(model, X, model.transform(X)) <= 16
    True
    """
    some = dense(model.network_.check(X[: len(codes)]))

    def error(z: Array) -> float:
        return float(np.square(model.network_.decode(z) - some, dtype=np.float64).mean())

    limit = (1 + ADDED_ERROR) * error(codes)
    for bits in BITS:
        quantizer = Quantizer.fit(codes, bits)
        if error(quantizer.restore(quantizer.quantize(codes))) <= limit:
            return bits
    return BITS[-1]


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
    if _is_too_large(len(numbers), numbers.shape[1], len(body)):
        raise _too_many(len(numbers), numbers.shape[1], len(body))
    return MAGIC + _checksum(body) + body


def _too_many(n: int, size: int, length: int | None = None) -> ValueError:
    in_bytes = "" if length is None else f", in {length:,} bytes,"
    return ValueError(
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


def _is_too_large(n: int, size: int, length: int) -> bool:
    """Whether n codes of ``size`` values exceed what a file of ``length`` bytes may contain."""
    return n * size > MOST_NUMBERS or n > MOST_EXPANSION * length


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


def bits_per_value(content: bytes, shape: Sequence[int]) -> float:
    """Bits of a file per value (pixel) of the samples in it.

    Parameters
    ----------
    content : bytes
    shape : sequence of int
        Of the samples, (n, ...).

    Returns
    -------
    float

    Examples
    --------
    >>> from npae.applications.compression import bits_per_value
    >>> bits_per_value(bytes(49), (1, 28, 28))
    0.5
    """
    return 8 * len(content) / prod(shape)


def psnr(rebuilt: Array, X: Array) -> float:
    """Peak signal-to-noise ratio, 10 log₁₀(1 / MSE), for values in [0, 1].

    Parameters
    ----------
    rebuilt, X : ndarray of one shape
        Reconstructions and samples.

    Returns
    -------
    float
        In dB; infinite for equal arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.compression import psnr
    >>> psnr(np.zeros(4), np.full(4, 0.1))
    20.0
    """
    return float(-10 * np.log10(np.square(rebuilt - X, dtype=np.float64).mean()))
