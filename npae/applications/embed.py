"""``npae.embed``: codes of Dask arrays and dataframes, which may be larger than memory or lie on several machines.

The workers use the encoder of ``npae.load_encoder``, which needs neither numba nor the data that trained it.
"""

from typing import Any

import numpy as np

from npae.storage.encoder import Encoder
from npae.utils.columns import check_columns, columns_of
from npae.utils.not_numbers import refuse_table
from npae.utils.types import Array


def map(encoder: Encoder, collection: Any) -> Any:
    """The codes of a Dask array or dataframe, lazily, a block at a time.

    A block's codes are those of ``encoder.transform`` of that block, to the bit; blocks of another size may differ in
    the last bits, within 1e-6. Empty blocks have no codes.

    Parameters
    ----------
    encoder : Encoder
        From ``npae.load_encoder``.
    collection : dask array of shape ``(n, *input_shape)``, or dask dataframe
        An array that is cut along other axes than the first is joined along these.

    Returns
    -------
    dask array of shape ``(n, *code_shape)``, or dask dataframe
        In the encoder's dtype. A dataframe keeps its index, and its columns are "code0", "code1", and so on.

    Raises
    ------
    TypeError
        If the collection is not of Dask, or the encoder is another object; if a column holds dates.
    ValueError
        If the samples are not of the encoder's shape.

    Examples
    --------
    >>> import dask.array as da
    >>> import npae
    >>> from npae.layers import Dense
    >>> npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)).save("model.safetensors")
    >>> codes = npae.embed.map(npae.load_encoder("model.safetensors"), da.ones((100, 5), chunks=(50, 5)))
    >>> codes.shape, codes.compute().dtype.name
    ((100, 2), 'float32')
    """
    if not isinstance(encoder, Encoder):
        raise TypeError(
            f"the encoder is a {type(encoder).__name__}; expected one of npae.load_encoder(path), which workers can "
            f"use without numba"
        )
    # Told by their types: a delayed object has every attribute, an array of xarray has those of Dask's but for one.
    is_divided = isinstance(getattr(collection, "npartitions", None), int) and hasattr(collection, "map_partitions")
    if is_divided and getattr(collection, "ndim", None) == 2:
        return _codes_of_frame(encoder, collection)
    if isinstance(getattr(collection, "chunks", None), tuple) and hasattr(collection, "rechunk"):
        return _codes_of_array(encoder, collection)
    raise TypeError(
        f"the collection is a {type(collection).__name__}; expected a dask array or dataframe (for data in memory use "
        f"encoder.transform)"
    )


def _codes_of_array(encoder: Encoder, array: Any) -> Any:
    if array.shape[1:] != encoder.input_shape:
        raise ValueError(f"the array holds samples of shape {array.shape[1:]}; the encoder takes {encoder.input_shape}")
    whole = array.rechunk(dict.fromkeys(range(1, array.ndim), -1))
    return whole.map_blocks(
        _codes,
        encoder=encoder,
        dtype=encoder.dtype,
        chunks=(whole.chunks[0], *((size,) for size in encoder.code_shape)),
        drop_axis=list(range(1, array.ndim)),
        new_axis=list(range(1, 1 + len(encoder.code_shape))),
        meta=_codes(np.empty((0, *encoder.input_shape), encoder.dtype), encoder),
    )


def _codes_of_frame(encoder: Encoder, frame: Any) -> Any:
    if len(encoder.input_shape) != 1 or len(encoder.code_shape) != 1:
        raise ValueError(
            f"the encoder turns samples of shape {encoder.input_shape} into codes of shape {encoder.code_shape}, which "
            f"are no rows of a dataframe; give a dask array"
        )
    if len(frame.columns) != encoder.input_shape[0]:
        raise ValueError(
            f"the dataframe has {len(frame.columns)} columns; the encoder takes samples of {encoder.input_shape[0]}"
        )
    refuse_table(frame._meta, "the dataframe")
    check_columns(columns_of(frame), encoder.columns)
    return frame.map_partitions(_framed_codes, encoder, meta=_framed_codes(frame._meta, encoder))


def _codes(block: Array, encoder: Encoder) -> Array:
    """The codes of a block, which may be empty."""
    return encoder.transform(block) if len(block) else np.empty((0, *encoder.code_shape), encoder.dtype)


def _framed_codes(frame: Any, encoder: Encoder) -> Any:
    names = [f"code{i}" for i in range(encoder.code_shape[0])]
    return type(frame)(_codes(frame, encoder), index=frame.index, columns=names)
