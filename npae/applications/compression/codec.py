"""Compression of samples with a fitted model, and reconstruction of them: as bytes, and as files."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npae.applications.compression.bits import quantizer_for
from npae.applications.compression.packing import pack, require_room, unpack
from npae.datasets.streams import MAX_BYTES
from npae.estimators import AutoencoderEstimator
from npae.storage.model_file import fingerprint
from npae.utils.columns import check_columns, columns_of
from npae.utils.errors import FileFormatError
from npae.utils.files import atomic_write, require_file
from npae.utils.types import Array
from npae.utils.validation import check_numeric


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
    if X.shape:
        require_room(len(X), size)
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
