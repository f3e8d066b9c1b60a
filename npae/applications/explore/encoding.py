"""Arrays as base64 of little-endian numbers, as the page's JavaScript reads them."""

import base64

import numpy as np

from npae.utils.types import Array
from npae.utils.wording import counted

WEIGHTS = ("float32", "float16")


def encoded(array: Array, dtype: str) -> dict[str, str]:
    """``array`` as {"dtype", "data"}, its values in C order."""
    values = np.ascontiguousarray(array).astype(np.dtype(dtype).newbyteorder("<"))
    return {"dtype": dtype, "data": base64.b64encode(values.tobytes()).decode()}


def encoded_weights(theta: Array, dtype: str) -> dict[str, str]:
    """Parameters in float32 or float16; raises ValueError for one that is not finite, or beyond what the type holds."""
    if dtype not in WEIGHTS:
        raise ValueError(f'weights is {dtype!r}; expected "float32" or "float16"')
    if n_bad := int((~np.isfinite(theta)).sum()):
        raise ValueError(
            f"{counted(n_bad, 'parameter')} of the model {'is' if n_bad == 1 else 'are'} infinite or NaN; train it "
            f"again with a lower learning rate"
        )
    most, limit = float(np.abs(theta).max()), float(np.finfo(dtype).max)
    if most > limit:
        raise ValueError(f"a parameter is as large as {most:.3g}, beyond {limit:.3g}, the largest number of {dtype}")
    return encoded(theta, dtype)


def encoded_samples(X: Array) -> dict[str, str]:
    """Samples as bytes where all are k / 255, as images of bytes are; else as float32."""
    if X.min() >= 0 and X.max() <= 1:
        bytes_of = np.rint(X * 255).astype(np.uint8)
        if np.array_equal((bytes_of / 255).astype(X.dtype), X):
            return encoded(bytes_of, "uint8")
    return encoded(X, "float32")
